package ldapauth_test

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"github.com/spoke-go/spoke/auth"
	"github.com/spoke-go/spoke/auth/ldapauth"
)

// The user of an Authorization header.
func Example() {
	config := ldapauth.Defaults()
	config.URL, config.Base = "ldaps://ldap.example.com", "ou=people,dc=example,dc=com"
	directory, err := ldapauth.New(config, time.Now)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer directory.Close()

	name, password, ok := auth.Basic("Basic Y2Fyb2w6") // carol, without a password
	if !ok {
		fmt.Println("401")
		return
	}
	user, err := directory.Authenticate(context.Background(), name, password, netip.MustParseAddr("192.0.2.1"))
	fmt.Println(user, err)
	// Output: 401
}
