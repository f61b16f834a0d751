package contract

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// line is one call of a script.
type line struct {
	// at is the place of the line, as in "acl.calls:3".
	at, service, operation, code, why string
	times                             int
	// input is JSON with variables in it.
	input string
	// keep are variables to set from the answer, and want texts that it has; both by path.
	keep, want [][2]string
	// pass is how long to let the clock go on instead of a call.
	pass time.Duration
}

// Script is a sequence of calls that is read from a file. A line of it is a call, in this form, of which all but the operation may be left out:
//
//	20* elb:CreateListener {"LoadBalancerArn":"$balancer","Port":80} ! TooManyListeners > listener=Listeners.0.ListenerArn ? Listeners.#=1 # why
//
// It is made twenty times with $i from 0, of the service elb instead of the script's own. ! is the error code that AWS answers, which needs a
// reason; > keeps a part of the answer under a name, "a=Cidr~/56" without an end; ? demands a part of it, where # is a length. "$[a*300]" is a
// long text. A line "pass 1h" moves the clock.
type Script struct {
	Name  string
	lines []line
}

// Scripts reads the scripts of a package.
func Scripts(tb testing.TB, pattern string) []Script {
	tb.Helper()
	names, err := filepath.Glob(pattern)
	if err != nil || len(names) == 0 {
		tb.Fatalf("no scripts at %s: %v", pattern, err)
	}
	var all []Script
	for _, name := range names {
		body, err := os.ReadFile(name)
		if err != nil {
			tb.Fatal(err)
		}
		s := Script{Name: strings.TrimSuffix(filepath.Base(name), ".calls")}
		for i, text := range strings.Split(string(body), "\n") {
			if text = strings.TrimSpace(text); text == "" || strings.HasPrefix(text, "#") {
				continue
			}
			l, err := parseLine(text)
			if err != nil {
				tb.Fatalf("%s:%d: %v", name, i+1, err)
			}
			l.at = fmt.Sprintf("%s:%d", filepath.Base(name), i+1)
			s.lines = append(s.lines, l)
		}
		all = append(all, s)
	}
	return all
}

// head is what stands before the input.
var head = regexp.MustCompile(`^(?:(\d+)\* )?(?:(\w+):)?([A-Z]\w+)\s*`)

func parseLine(text string) (line, error) {
	if rest, ok := strings.CutPrefix(text, "pass "); ok {
		d, err := time.ParseDuration(rest)
		return line{pass: d}, err
	}
	m := head.FindStringSubmatch(text)
	if m == nil {
		return line{}, fmt.Errorf("no operation in %q", text)
	}
	l := line{service: m[2], operation: m[3], times: 1, input: "{}"}
	if m[1] != "" {
		l.times, _ = strconv.Atoi(m[1])
	}
	rest := text[len(m[0]):]
	if strings.HasPrefix(rest, "{") {
		end := closing(rest)
		l.input, rest = rest[:end], rest[end:]
	}
	err := parseTail(rest, &l)
	return l, err
}

// closing gives where the object ends with which a text begins. The text is no JSON before the variables are in it.
func closing(text string) int {
	depth, inside := 0, false
	for i := range len(text) {
		switch {
		case text[i] == '"' && text[i-1] != '\\':
			inside = !inside
		case inside:
		case text[i] == '{':
			depth++
		case text[i] == '}':
			depth--
		}
		if depth == 0 {
			return i + 1
		}
	}
	return 0
}

// parseTail reads what stands after the input.
func parseTail(text string, l *line) error {
	text, l.why, _ = strings.Cut(text, "# ")
	words := strings.Fields(text)
	if len(words)%2 != 0 {
		return fmt.Errorf("%q is not pairs of a sign and a word", text)
	}
	for i := 0; i < len(words); i += 2 {
		name, value, ok := strings.Cut(words[i+1], "=")
		switch {
		case words[i] == "!":
			l.code = words[i+1]
		case words[i] == ">" && ok:
			l.keep = append(l.keep, [2]string{name, value})
		case words[i] == "?" && ok:
			l.want = append(l.want, [2]string{name, value})
		default:
			return fmt.Errorf("%q is no sign and word", words[i]+" "+words[i+1])
		}
	}
	if l.code != "" && l.why == "" {
		return fmt.Errorf("why is it %s?", l.code)
	}
	return nil
}

// Names of variables, and long texts.
var (
	variable = regexp.MustCompile(`\$(\w+)|\$\{(\w+)\}`)
	long     = regexp.MustCompile(`\$\[(.)\*(\d+)\]`)
)

// fill puts variables into a text; those that go into JSON are quoted as it has them.
func fill(text string, known map[string]string, quote func(string) string) (string, error) {
	var unknown []string
	text = long.ReplaceAllStringFunc(text, func(found string) string {
		m := long.FindStringSubmatch(found)
		n, _ := strconv.Atoi(m[2])
		return strings.Repeat(m[1], n)
	})
	text = variable.ReplaceAllStringFunc(text, func(found string) string {
		name := strings.Trim(found, "${}")
		value, ok := known[name]
		if !ok {
			unknown = append(unknown, name)
		}
		return quote(value)
	})
	if len(unknown) > 0 {
		return "", fmt.Errorf("no line before kept %v", unknown)
	}
	return text, nil
}

// plain and quoted are how variables are written into other texts, and into JSON.
func plain(value string) string { return value }

func quoted(value string) string {
	text := strconv.Quote(value)
	if body, err := json.Marshal(value); err == nil {
		text = string(body)
	}
	return text[1 : len(text)-1]
}
