package main

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
)

// instrumentation is the scope of the program's own metrics; package middleware has those
// of SPOE.
const instrumentation = "github.com/spoke-go/spoke/examples/ip-reputation"

// listKey is the attribute that has a list's name.
const listKey = attribute.Key("iprep.list")

// watchLists adds the state of the lists to the metrics, by list and file:
//
//	iprep.list.prefixes        in the last good file
//	iprep.list.age             since it was loaded, in seconds
//	iprep.list.failing         1 while the present file cannot be used
//	iprep.list.load_failures   failed attempts to load a file
func watchLists(lists func() *lists, meter metric.Meter) error {
	prefixes, err1 := meter.Int64ObservableGauge("iprep.list.prefixes",
		metric.WithUnit("{prefix}"), metric.WithDescription("Prefixes in the last good file."))
	age, err2 := meter.Float64ObservableGauge("iprep.list.age",
		metric.WithUnit("s"), metric.WithDescription("Time since the last good file was taken in."))
	failing, err3 := meter.Int64ObservableGauge("iprep.list.failing",
		metric.WithDescription("1 while the file's current content cannot be used."))
	failures, err4 := meter.Int64ObservableCounter("iprep.list.load_failures",
		metric.WithUnit("{attempt}"), metric.WithDescription("Attempts to take the file in that failed."))
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		return err
	}
	_, err := meter.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		for _, s := range lists().Status() {
			by := metric.WithAttributes(listKey.String(s.List.Name), semconv.FilePath(s.Path))
			o.ObserveInt64(prefixes, int64(s.Prefixes), by)
			o.ObserveInt64(failing, oneIf(s.Failing), by)
			o.ObserveInt64(failures, int64(s.Failures), by)
			if !s.LoadedAt.IsZero() {
				o.ObserveFloat64(age, time.Since(s.LoadedAt).Seconds(), by)
			}
		}
		return nil
	}, prefixes, age, failing, failures)
	return err
}

func oneIf(yes bool) int64 {
	if yes {
		return 1
	}
	return 0
}
