// Package chart draws latencies: as text for a terminal, and as SVG.
package chart
