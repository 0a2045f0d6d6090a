package main

const usage = `ip-reputation tells HAProxy how far an IP address can be trusted.

For every address that HAProxy asks about (see haproxy.cfg and spoe.conf), it
looks through lists of addresses and sets two variables:

  sess.iprep.ip_score   0 to 100: 0 is listed with no doubt, 100 is on no list
  sess.iprep.ip_list    the list that decided; not set if there was none

Usage:
  ip-reputation [flags]

Try it with no flag at all: it then uses sample lists of documentation addresses
(192.0.2.0/24 and the like).

Lists:
  -list name=NAME,score=N,path=FILE
        A list, named NAME, whose addresses get the score N. Give the flag once
        for each file. Files are as published: one address or CIDR a line, IPv4
        and IPv6, with comments (FireHOL netsets, Spamhaus DROP as text or JSON,
        Tor exit lists). "-list FILE" is short for the file's name and score 0.
        With "optional=true," before path the agent starts without the file.
        The most specific entry decides; of equal ones the worst score.
  -allow FILE
        An allow list: its addresses get 100 whatever other lists say. It is
        named "allow", or NAME with "-allow name=NAME,path=FILE".
  -poll 2s
        How often to look whether a file has changed. SIGHUP reads all at once.
        A file that is broken or empty changes nothing: the last good one stays.

SPOE:
  -listen 127.0.0.1:9000
        Where HAProxy finds the agent: host:port, :port, unix:/path/to/socket.
  -timeout 200ms
        How long an answer may take. Keep it below HAProxy's
        "timeout processing".
  -shutdown-timeout 10s
        How long SIGTERM or Ctrl-C waits for requests that are being answered.
        The last telemetry may take 5s more.

Logs (on standard error):
  -log-level info        debug, info, warn or error
  -log-format text       text or json
  -log-decisions         a line for every decision (at debug level, always)

Telemetry:
  -admin-addr 127.0.0.1:6060
        Where /metrics (for Prometheus), /healthz and /readyz are; off for
        nowhere. It has no password: keep it from clients.

  Traces and metrics go where OpenTelemetry's variables say, such as
  OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318, with its sampler
  (OTEL_TRACES_SAMPLER, OTEL_TRACES_SAMPLER_ARG). Without them, they go to
  standard output as JSON: one trace in ten seconds, ten after a quiet time, and
  the metrics once a minute. OTEL_TRACES_EXPORTER=none and
  OTEL_METRICS_EXPORTER=none turn that off, OTEL_SDK_DISABLED=true does both.

HAProxy's side:
  -print-config[=spoe|backend|frontend]
        Print HAProxy's half of the configuration: spoe.conf, agents.cfg, and
        lines for the frontend; without a value all three. They go by -timeout.
  -check-config agents.cfg,haproxy.cfg
        Check configuration that is there, spoe.conf included.
  -print-routes
        Print what is handled as JSON, for "spoectl check".

Other:
  -t, -validate          read all lists, say what is wrong with them, and exit
  -version               print the version and exit
  -h                     print this help and exit

Every flag can be set in the environment: IPREP_LISTEN=:9000 is -listen :9000,
IPREP_LOG_FORMAT=json is -log-format json. IPREP_LIST and IPREP_ALLOW take
several values, parted by ';' or line ends. A flag wins over the environment.

Exit status: 0 after a clean end, 1 if something failed, 2 for wrong flags.
`
