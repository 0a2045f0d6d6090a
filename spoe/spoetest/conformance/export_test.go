package conformance

// Rows are the rows of the contract that the cases' Row names.
var Rows = []string{
	rowHello, rowVersions, rowLenient, rowMaxFrameSize, rowHealthCheck, rowMissing, rowUnsupported,
	rowRefused, rowNotify, rowMessages, rowUnknown, rowFailure, rowDeadline, rowVarName, rowAckSize,
	rowFrameSize, rowMalformed, rowFragments, rowDisconnect, rowEnd, rowShort, rowFrameType, rowSilent,
	rowWrites, rowNoEmpty, rowValues, rowBinding, rowEngine, rowShutdown,
}
