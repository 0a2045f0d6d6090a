package command_test

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestDecodeForms decodes one NOTIFY from all forms in which people paste bytes.
func TestDecodeForms(t *testing.T) {
	const digits = "0000001703000000010101" + "0669702d7265700102697006c0000242"
	b, err := hex.DecodeString(digits)
	require.NoError(t, err)
	ip := make([]byte, 40)
	copy(ip, []byte{0x45, 0, 0, byte(40 + len(b)), 0, 1, 0, 0, 64, 6, 0, 0, 127, 0, 0, 1, 127, 0, 0, 1, 3, 0xe8, 0x23, 0x28})
	ip[32], ip[33] = 5<<4, 0x18
	packet := append(ip, b...)
	ether := append(append(make([]byte, 12), 8, 0), packet...)
	xs, octal, array := "", "", []string(nil)
	for _, c := range b {
		xs += fmt.Sprintf(`\x%02x`, c)
		octal += fmt.Sprintf(`\%03o`, c)
		array = append(array, fmt.Sprintf("%#x", c))
	}
	tcpdump, wireshark := "", ""
	for i := 0; i < len(packet); i += 16 {
		row := packet[i:min(i+16, len(packet))]
		words := ""
		for j := 0; j < len(row); j += 2 {
			words += " " + hex.EncodeToString(row[j:min(j+2, len(row))])
		}
		tcpdump += fmt.Sprintf("\t0x%04x: %-40s  %s\n", i, words, strings.Repeat(".", len(row)))
	}
	for i := 0; i < len(ether); i += 16 {
		row := ether[i:min(i+16, len(ether))]
		wireshark += fmt.Sprintf("%04x   % x   %s\n", i, row, strings.Repeat(".", len(row)))
	}
	gdb := ""
	for i := 0; i < len(b); i += 8 {
		gdb += fmt.Sprintf("0x7ffe%04x <buf+%d>:", i, i)
		for _, c := range b[i:min(i+8, len(b))] {
			gdb += fmt.Sprintf("\t0x%02x", c)
		}
		gdb += "\n"
	}
	want := run(t, "decode", digits)
	require.Zero(t, want.status, want.err)
	require.Contains(t, want.out, "ip = IPV4 192.0.2.66")
	for _, tt := range []struct{ form, text string }{
		{"hexdump -C", hex.Dump(b)},
		{"hexdump -C", tool(t, b, "hexdump", "-C")},
		{"xxd", tool(t, b, "xxd")},
		{"tcpdump -x", "12:00:01.000001 IP 127.0.0.1.1000 > 127.0.0.1.9000: Flags [P.], length 27\n" + tcpdump},
		{"a Wireshark hex dump", wireshark},
		{"gdb's x/xb", gdb},
		{"an array of bytes", "$1 = {0x0 <repeats 3 times>, " + strings.Join(array[3:], ", ") + "}"},
		{"an array of bytes", strings.Join(array[:9], ", ") + ",\n" + strings.Join(array[9:], ", ") + "\n"},
		{"a string with escapes", `b"` + xs + `"`},
		{"a string with escapes", xs},
		{"a string with escapes", `$2 = "` + octal + `"`},
		{"a frame between < and >", "agent: read frame <" + digits[8:] + ">\n"},
		{"hexdump -C", "> " + strings.ReplaceAll(strings.TrimSpace(hex.Dump(b)), "\n", "\n> ")},
		{"od -t x1", tool(t, b, "od", "-t", "x1")},
		{"od -t x1", tool(t, b, "od", "-t", "x1z")},
		{"od -A x -t x1", tool(t, b, "od", "-A", "x", "-t", "x1z")},
		{"hex digits", tool(t, b, "od", "-A", "n", "-t", "x1")},
		{"an array of bytes", tool(t, b, "xxd", "-i", "-n", "frame")},
		{"an array of bytes", "char peer0_0[] = { /* Packet 4 */\n" + strings.Join(array[:8], ", ") + ", \n" + strings.Join(array[8:], ", ") + " };\n"},
		{"an array of bytes", strings.ReplaceAll(fmt.Sprint(b), " ", ", ") + "\n"},
		{"an array of bytes", fmt.Sprint(b)},
		{"hex digits with colons", strings.TrimSuffix(strings.ReplaceAll(xs[2:], `\x`, ":"), ":")},
		{"hex digits behind 0x", "0x" + digits},
		{"base64", base64.StdEncoding.EncodeToString(b) + "\n"},
		{"hex digits", "# a comment\n" + digits[:20] + "\n" + digits[20:]},
	} {
		t.Run(tt.form, func(t *testing.T) {
			if tt.text == "" {
				return // the tool is not installed
			}
			r := run(t, "decode", file(t, "dump", tt.text))
			require.Zero(t, r.status, "%s\n%s", r.err, tt.text)
			assert.Equal(t, want.out, r.out, tt.text)
			if tt.form != "hex digits" {
				assert.Contains(t, r.err, "read as "+tt.form)
			}
		})
	}
	for fix, text := range map[string]string{
		"paste the output of hexdump -C": "0000000 0000 1700 0003 0000 0101 0601 7069 722d\n0000010 7065 0201\n0000014\n",
		"paste the output of od -t x1":   "0000000 000000 013400 000003 000000 000401\n",
		"paste the output of x/NNxb":     "0x7ffe0000 <buf>:\t0x17000000\t0x00000003\n",
	} {
		assert.Contains(t, run(t, "decode", file(t, "dump", text)).err, fix)
	}
	r := run(t, "decode", xs)
	assert.Equal(t, want.out, r.out, r.err)
	r = run(t, "decode", "<"+digits[8:]+">")
	assert.Equal(t, want.out, r.out, r.err)
	r = run(t, "decode", file(t, "dump", hex.Dump(b)+"nonsense\n"))
	assert.Contains(t, r.err, `read as hexdump -C: line 3: "nonsense" is not a line of hexdump -C`)
	r = run(t, "decode", "--hex", file(t, "dump", "nonsense\n"))
	assert.Contains(t, r.err, "its first line is not one of a form that decode reads")
}

// tool returns what a program makes of b, or "" if it is not installed.
func tool(t *testing.T, b []byte, name string, args ...string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		return ""
	}
	cmd := exec.Command(path, args...)
	cmd.Stdin = strings.NewReader(string(b))
	out, err := cmd.Output()
	require.NoError(t, err)
	return string(out)
}
