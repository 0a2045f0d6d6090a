// Package conf fills a struct from a YAML file, the environment and the command
// line; the later of these takes precedence.
//
// A setting has one name everywhere: log-level is `log-level: debug` in the file,
// -log-level debug on the command line and PROGRAM_LOG_LEVEL=debug in the environment.
// The fields of a nested struct are a mapping in the file; elsewhere the outer name
// precedes theirs: `redis: {addr: x}` is -redis-addr x.
//
// Tags of a field:
//
//	conf:"name,fixed"   its name (default: the field's, in lower case with '-'); fixed: not changed by a reload;
//	                    conf:"-" is no setting, conf:",inline" has the fields of a struct in the outer one
//	help:"…"            what -h says
//	value:"FILE"        the word that stands for a value in -h
//	group:"Logs"        a heading in -h for this setting and the next ones
//	min:"1" max:"10"    bounds of a number or a duration
//	oneof:"text,json"   the values that there are
//
// Every mistake is an [Error] that names the place, the key and a correct value. Load
// reports all mistakes together.
//
// Make a Spec once, and call Load as often as needed, from one goroutine at a time.
package conf
