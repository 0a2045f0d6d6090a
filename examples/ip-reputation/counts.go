package main

import (
	"context"
	"errors"
	"sync"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// counts are the metrics of events:
//
//	iprep.decisions          by iprep.list, the list that decided; without one: on no list
//	iprep.country.decisions  by iprep.country; only of addresses whose country a database knows
//	iprep.list.fetches       by iprep.list and iprep.fetch.result: replaced, unchanged, failed
type counts struct {
	decisions, countries, fetches metric.Int64Counter

	country sync.Map // of metric.AddOption by the code of a country, made once
}

func newCounts(meter metric.Meter) (*counts, error) {
	counter := func(name, unit, text string) (metric.Int64Counter, error) {
		return meter.Int64Counter(name, metric.WithUnit(unit), metric.WithDescription(text))
	}
	decisions, err1 := counter("iprep.decisions", "{decision}", "Decisions, by the list that decided.")
	countries, err2 := counter("iprep.country.decisions", "{decision}", "Decisions, by the address's country.")
	fetches, err3 := counter("iprep.list.fetches", "{fetch}", "Fetches of lists by URL, by list and result.")
	return &counts{decisions: decisions, countries: countries, fetches: fetches}, errors.Join(err1, err2, err3)
}

// decided counts a decision. It is in the path of every request.
func (c *counts) decided(ctx context.Context, by []metric.AddOption, country string) {
	c.decisions.Add(ctx, 1, by...)
	if country == "" {
		return
	}
	option, ok := c.country.Load(country)
	if !ok {
		set := attribute.NewSet(attribute.String("iprep.country", country))
		option, _ = c.country.LoadOrStore(country, metric.WithAttributeSet(set))
	}
	c.countries.Add(ctx, 1, option.(metric.AddOption))
}

// fetched returns the function that counts fetches of a list.
func (c *counts) fetched(list string) func(replaced bool, err error) {
	return func(replaced bool, err error) {
		result := "unchanged"
		switch {
		case err != nil:
			result = "failed"
		case replaced:
			result = "replaced"
		}
		c.fetches.Add(context.Background(), 1, metric.WithAttributes(listKey.String(list), attribute.String("iprep.fetch.result", result)))
	}
}
