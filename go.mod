module github.com/spoke-go/spoke

go 1.26
