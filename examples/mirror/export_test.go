package main

// Agent is the program.
var Agent = agent
