package haproxy

// For the tests.
var (
	Words       = words
	SampleTypes = sampleTypes
	SamplesText = samplesText
)
