package main

import (
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/spf13/cobra"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
)

// The files that are shipped set nothing, and what stands commented out in them
// are settings.
func TestShippedConfigs(t *testing.T) {
	setting := regexp.MustCompile(`(?m)^# ([a-z_]+ = )`)
	for name, command := range map[string]func() *cobra.Command{"serve": newServe, "worker": newWorkerCommand} {
		b, err := os.ReadFile(filepath.Join("..", "..", "deploy", "config", name+".toml"))
		if err != nil {
			t.Fatal(err)
		}
		for what, text := range map[string]string{"as it is": string(b), "all set": setting.ReplaceAllString(string(b), "$1")} {
			file := filepath.Join(t.TempDir(), name)
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			flags := command().Flags()
			if err := readConfig(file, flags); err != nil {
				t.Errorf("%s, %s: %v", name, what, err)
			}
			if set := flags.Changed("log_level"); set != (what == "all set") {
				t.Errorf("%s, %s: set is %t", name, what, set)
			}
		}
	}
}

func TestConfig(t *testing.T) {
	for text, want := range map[string]string{
		`workers = 3` + "\n" + `property = ["a", "b"]`: "",
		`workers = "many"`:              `workers = many: `,
		`listen = "x:1"` + "\nmoon = 1": `no setting is named "moon"`,
		`config = "other"`:              `no setting is named "config"`,
		`workers = `:                    `read configuration`,
	} {
		file := filepath.Join(t.TempDir(), "c")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		flags := newServe().Flags()
		if err := flags.Set("listen", "flag:1"); err != nil {
			t.Fatal(err)
		}
		err := readConfig(file, flags)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
		if got, _ := flags.GetString("listen"); got != "flag:1" {
			t.Errorf("%s: the flag is overruled by %s", text, got)
		}
		if got, _ := flags.GetStringArray("property"); want == "" && strings.Join(got, ",") != "a,b" {
			t.Errorf("list %v", got)
		}
	}
}

// TestServeSaysWhatToDo: what an operator gets wrong is told with a way out.
func TestServeSaysWhatToDo(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	unknown := filepath.Join(t.TempDir(), "serve.toml")
	secret(t, unknown, "moon = 1")
	for args, want := range map[string]string{
		"--durability memory":                        "want disk or process", // and not taken for the weaker one
		"--cache_limit 20":                           "20 B is no store; a number without K, M, G or T is bytes",
		"--tls_client_ca ca.pem":                     "--tls_client_ca wants both",
		"--workers -3":                               "want a number, 0 for none",
		"--workers 1 --slots -1":                     "want a number, 0 for one per processor",
		"--grace -5s":                                "want a duration, 0 for none",
		"--cache_grace -5m":                          "want a duration, 0 for none",
		"--action_timeout 0":                         "want a positive duration of at most --max_action_timeout, 24h0m0s",
		"--action_timeout 25h":                       "want a positive duration of at most --max_action_timeout, 24h0m0s",
		"--listen unix:":                             "want unix:PATH with a path of 1 to 107 bytes", // and not a socket for everybody
		"--listen unix:/" + strings.Repeat("x", 107): "want unix:PATH with a path of 1 to 107 bytes",
		"--listen 127.0.0.1:0 --http x":              "--http x: want HOST:PORT: ",
		"now":                                        `serve: takes flags alone, and there is "now" (serve --help lists them)`,
		"--config " + unknown:                        `no setting is named "moon" (serve --help`,
		"--listen nonsense":                          "want HOST:PORT or unix:PATH",
		"--listen " + taken.Addr().String():          "another program listens there; end it, or choose another address with --listen",
		"--listen 127.0.0.1:0 --http " + taken.Addr().String(): "choose another address with --http",
	} {
		c := newServe()
		c.SetArgs(append(strings.Fields(args), "--state", t.TempDir()))
		c.SetOut(io.Discard)
		c.SetErr(io.Discard)
		if err := c.ExecuteContext(t.Context()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("serve %s = %v, want %q", args, err, want)
		}
	}
}

// Prometheus reads figures, load balancers learn that the server is ready, and
// as soon as it drains that it is not.
func TestMonitoring(t *testing.T) {
	p := spawn(t, "serve", "--listen", "127.0.0.1:0", "--state", t.TempDir(), "--http", "127.0.0.1:0", "--log_format", "json")
	c := connect(t, p.addr)
	held := []byte("four")
	c.put(held)
	waiting := c.start(c.act([]string{"nothing"}))
	if _, err := waiting.Recv(); err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`"http":"([^"]+)"`).FindStringSubmatch(p.log.String())
	if m == nil {
		t.Fatalf("no address in %s", p.log)
	}
	get := func(path string) (int, string) {
		resp, err := http.Get("http://" + m[1] + path)
		if err != nil {
			return 0, ""
		}
		defer resp.Body.Close()
		b, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, string(b)
	}
	_, text := get("/metrics")
	for _, line := range []string{
		`kvfarm_operations{stage="queued"} 1`, `kvfarm_idle_slots 0`, `kvfarm_store_bytes `, `kvfarm_store_free_bytes `, `process_resident_memory_bytes `,
		`kvfarm_calls_total{code="OK",method="/build.bazel.remote.execution.v2.ContentAddressableStorage/BatchUpdateBlobs"}`,
	} {
		if !strings.Contains(text, line) {
			t.Errorf("metrics lack %s", line)
		}
	}
	if code, _ := get("/healthz"); code != http.StatusOK {
		t.Errorf("alive: %d", code)
	}
	if code, _ := get("/readyz"); code != http.StatusOK {
		t.Errorf("ready: %d", code)
	}
	watch, err := healthpb.NewHealthClient(c.conn).Watch(t.Context(), &healthpb.HealthCheckRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if s, err := watch.Recv(); err != nil || s.Status != healthpb.HealthCheckResponse_SERVING {
		t.Errorf("health %v, %v", s, err)
	}
	p.signal(t, syscall.SIGTERM)
	if s, err := watch.Recv(); err != nil || s.Status != healthpb.HealthCheckResponse_NOT_SERVING {
		t.Errorf("health while it drains %v, %v", s, err)
	}
}
