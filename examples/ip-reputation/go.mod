module github.com/spoke-go/spoke/examples/ip-reputation

go 1.26

require (
	github.com/gaissmai/bart v0.30.0 // indirect
	github.com/stretchr/testify v1.12.1 // indirect
)
