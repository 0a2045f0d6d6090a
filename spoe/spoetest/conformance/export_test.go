package conformance

// Rows are the rows of the contract.
var Rows = rows
