// Command mutate changes one place of a package at a time and runs the package's tests:
// a change that no test notices, a survivor, is a rule that no test holds.
//
//	go run ./internal/mutate -n 60 ./codec
//
// The files on disk stay as they are (go test -overlay).
package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"log"
	"math/rand/v2"
	"os"
	"os/signal"
	"strings"
	"time"
)

func main() {
	n := flag.Int("n", 60, "how many mutants to try, picked at random; 0 means all")
	seed := flag.Uint64("seed", 1, "the seed of the sample")
	timeout := flag.Duration("timeout", 60*time.Second, "how long the tests of one mutant may take; a mutant that takes longer counts as noticed")
	tests := flag.String("tests", "", "the folders of the packages whose tests are run, one after the other until one notices, as a list with commas; without it the changed package's own: an internal package is often tested by its importer")
	most := flag.Float64("max", 100, "how many percent may survive before the exit status is 1")
	list := flag.Bool("list", false, "list the mutants without trying them")
	flag.Usage = func() {
		fmt.Fprintln(os.Stderr, "Usage: mutate [flags] package-folder")
		flag.PrintDefaults()
	}
	flag.Parse()
	if flag.NArg() != 1 {
		flag.Usage()
		os.Exit(2)
	}
	all, err := mutantsOf(flag.Arg(0))
	if err != nil {
		log.Fatal(err)
	}
	rand.New(rand.NewPCG(*seed, 0)).Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	if *list {
		for _, m := range all {
			fmt.Println(m)
		}
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	r := runner{tests: strings.Split(cmp.Or(*tests, flag.Arg(0)), ","), timeout: *timeout}
	if err := r.run(ctx, all, *n); err != nil {
		log.Fatal(err)
	}
	percent := 0.0
	if r.tried > 0 {
		percent = 100 * float64(r.survived) / float64(r.tried)
	}
	fmt.Printf("%s: %d of %d mutants survived (%.1f %%); the package has %d places to change\n", flag.Arg(0), r.survived, r.tried, percent, len(all))
	if percent > *most {
		os.Exit(1)
	}
}
