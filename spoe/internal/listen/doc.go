// Package listen reads addresses as HAProxy has them, and listens on them.
package listen
