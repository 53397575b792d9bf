package rev2_test

import (
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"runtime"
	"testing"

	sdk "github.com/bazelbuild/remote-apis-sdks/go/pkg/client"
	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/proto"

	"github.com/kvfarm/kvfarm/cas"
	"github.com/kvfarm/kvfarm/cas/badgerstore"
	"github.com/kvfarm/kvfarm/cas/castest"
	"github.com/kvfarm/kvfarm/cas/complete"
	"github.com/kvfarm/kvfarm/cas/digest"
	"github.com/kvfarm/kvfarm/cas/remote"
	"github.com/kvfarm/kvfarm/executor/journal"
	"github.com/kvfarm/kvfarm/executor/queue"
	"github.com/kvfarm/kvfarm/frontend/rev2"
)

// startBench serves a store on disk over TCP, as the table of peers was made.
func startBench(b *testing.B) (*grpc.ClientConn, *remote.Store, *queue.Queue, cas.ActionCache) {
	b.Helper()
	q := queue.New(queue.Config{})
	conn, s, cache := startBenchOn(b, q)
	return conn, s, q, cache
}

func startBenchOn(b *testing.B, q *queue.Queue) (*grpc.ClientConn, *remote.Store, cas.ActionCache) {
	b.Helper()
	b.Cleanup(q.Close)
	store, err := badgerstore.Open(b.Context(), badgerstore.Config{Dir: b.TempDir(), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = store.Close() })
	server := grpc.NewServer(rev2.Options()...)
	rev2.New(rev2.Config{Store: store, Cache: complete.New(store, store), Queue: q}).Register(server)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	go func() { _ = server.Serve(l) }()
	b.Cleanup(server.Stop)
	conn, err := grpc.NewClient(l.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithInitialWindowSize(1<<20), grpc.WithInitialConnWindowSize(4<<20))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = conn.Close() })
	c, err := sdk.NewClientFromConnection(b.Context(), "", conn, conn)
	if err != nil {
		b.Fatal(err)
	}
	return conn, remote.New(c), store
}

func BenchmarkPut2MiB(b *testing.B) {
	_, s, _, _ := startBench(b)
	b.SetBytes(2 << 20)
	for i := 0; b.Loop(); i++ {
		if _, err := cas.PutBlob(b.Context(), s, castest.Bytes(uint64(i), 2<<20)); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkGet2MiB(b *testing.B) {
	_, s, _, _ := startBench(b)
	d, err := cas.PutBlob(b.Context(), s, castest.Bytes(1, 2<<20))
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(2 << 20)
	for b.Loop() {
		if _, err := cas.ReadBlob(b.Context(), s, d, d.Size); err != nil {
			b.Fatal(err)
		}
	}
}

// One operation is 1,000 blobs.
func BenchmarkPut4KiB(b *testing.B) {
	_, s, _, _ := startBench(b)
	for i := 0; b.Loop(); i++ {
		b.StopTimer()
		blobs := make([]cas.Blob, 1000)
		for k := range blobs {
			data := castest.Bytes(uint64(i*1000+k), 4096)
			blobs[k] = cas.Blob{Digest: digest.Of(data), Data: data}
		}
		b.StartTimer()
		for _, err := range cas.PutBatch(b.Context(), s, blobs) {
			if err != nil {
				b.Fatal(err)
			}
		}
	}
}

func BenchmarkFindMissing10000(b *testing.B) {
	for _, present := range []bool{true, false} {
		b.Run(fmt.Sprintf("present=%t", present), func(b *testing.B) {
			_, s, _, _ := startBench(b)
			var blobs []cas.Blob
			var ds []digest.Digest
			for i := range 10_000 {
				data := fmt.Appendf(nil, "blob %d", i)
				blobs, ds = append(blobs, cas.Blob{Digest: digest.Of(data), Data: data}), append(ds, digest.Of(data))
			}
			if present {
				cas.PutBatch(b.Context(), s, blobs)
			}
			for b.Loop() {
				missing, err := s.Missing(b.Context(), ds)
				if err != nil || (len(missing) == 0) != present {
					b.Fatal(len(missing), err)
				}
			}
		})
	}
}

func BenchmarkActionCacheHit(b *testing.B) {
	_, s, _, cache := startBench(b)
	out, err := cas.PutBlob(b.Context(), s, []byte("output"))
	if err != nil {
		b.Fatal(err)
	}
	d := digest.Of([]byte("action"))
	if err := cache.SetResult(b.Context(), d, &repb.ActionResult{OutputFiles: []*repb.OutputFile{{Path: "o", Digest: out.Proto()}}}); err != nil {
		b.Fatal(err)
	}
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			if _, err := s.Result(b.Context(), d); err != nil {
				b.Error(err)
			}
		}
	})
}

// An action that does nothing, from Execute to the end of the stream, one at a
// time and many; with a queue that is kept over crashes and one that is not.
func BenchmarkExecute(b *testing.B) {
	for _, kept := range []bool{false, true} {
		for _, clients := range []int{1, 32} {
			b.Run(fmt.Sprintf("kept=%t/clients=%d", kept, clients), func(b *testing.B) {
				q := queue.New(queue.Config{})
				if kept {
					q = keptQueue(b)
				}
				execute(b, q, clients)
			})
		}
	}
}

func keptQueue(b *testing.B) *queue.Queue {
	b.Helper()
	j, err := journal.Open(filepath.Join(b.TempDir(), "queue"), slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = j.Close() })
	q, err := queue.Restore(queue.Config{}, j)
	if err != nil {
		b.Fatal(err)
	}
	return q
}

func execute(b *testing.B, q *queue.Queue, clients int) {
	conn, s, _ := startBenchOn(b, q)
	for range 32 {
		go func() {
			for {
				l, err := q.Lease(b.Context(), queue.Worker{})
				if err != nil {
					return
				}
				_ = q.Complete(b.Context(), l.ID, &queue.Outcome{Result: &repb.ActionResult{}})
			}
		}()
	}
	command, _ := cas.PutBlob(b.Context(), s, []byte{})
	action := put(b, s, &repb.Action{CommandDigest: command.Proto(), InputRootDigest: command.Proto(), DoNotCache: true})
	exec := repb.NewExecutionClient(conn)
	b.SetParallelism(max(1, clients/runtime.GOMAXPROCS(0)))
	once := func() {
		stream, err := exec.Execute(b.Context(), &repb.ExecuteRequest{ActionDigest: action.Proto()})
		for err == nil {
			_, err = stream.Recv()
		}
	}
	if clients == 1 {
		for b.Loop() {
			once()
		}
		return
	}
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			once()
		}
	})
}

func put(b *testing.B, s cas.Store, m proto.Message) digest.Digest {
	b.Helper()
	data, err := proto.Marshal(m)
	if err != nil {
		b.Fatal(err)
	}
	d, err := cas.PutBlob(b.Context(), s, data)
	if err != nil {
		b.Fatal(err)
	}
	return d
}
