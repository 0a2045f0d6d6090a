// Package bridge gives package spoetest a part of package spoe that programs do not need:
// an agent makes the messages that they get.
package bridge

import "github.com/spoke-go/spoke/codec"

// NewMessage returns a *spoe.Message. Package spoe sets it when it is initialized.
var NewMessage func(name string, args codec.Args) any
