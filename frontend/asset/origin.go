package asset

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path"
	"slices"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Origins are where assets may be fetched from. A nil *Origins is none.
type Origins struct {
	prefixes []*url.URL
	client   *http.Client
}

// maxRedirects bounds how often an origin may point elsewhere.
const maxRedirects = 10

// NewOrigins allows all URIs below the given ones: https://host/path,
// http://host/path, file:///path. A prefix ends at a slash: "file:///a/b" is not
// one of "file:///a/bc".
func NewOrigins(prefixes []string) (*Origins, error) {
	o := &Origins{}
	for _, p := range prefixes {
		u, err := parseURI(p)
		if err != nil {
			return nil, fmt.Errorf("asset origin %q: %w", p, err)
		}
		o.prefixes = append(o.prefixes, u)
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.DisableCompression = true // an archive is to come as it is
	o.client = &http.Client{CheckRedirect: o.redirect, Transport: transport}
	return o, nil
}

// parseURI reads a URI that is to be compared with others.
func parseURI(s string) (*url.URL, error) {
	u, err := url.Parse(s)
	if err != nil {
		return nil, err
	}
	u.Scheme, u.Host = strings.ToLower(u.Scheme), strings.ToLower(u.Host)
	switch {
	case u.Scheme != "http" && u.Scheme != "https" && u.Scheme != "file":
		return nil, errors.New("want http://, https:// or file://")
	case u.User != nil || u.Opaque != "":
		return nil, errors.New("no user, password or opaque part may stand in it")
	case (u.Scheme == "file") != (u.Host == ""):
		return nil, errors.New("want https://HOST/PATH or file:///PATH")
	case u.Path != "" && path.Clean(u.Path) != strings.TrimSuffix(u.Path, "/") && u.Path != "/":
		return nil, errors.New("its path is not clean")
	}
	return u, nil
}

func below(u, prefix *url.URL) bool {
	if u.Scheme != prefix.Scheme || u.Host != prefix.Host {
		return false
	}
	rest, ok := strings.CutPrefix(u.Path, strings.TrimSuffix(prefix.Path, "/"))
	return ok && (rest == "" || rest[0] == '/')
}

func (o *Origins) allows(u *url.URL) bool {
	clean, err := parseURI(u.String())
	return err == nil && slices.ContainsFunc(o.prefixes, func(p *url.URL) bool { return below(clean, p) })
}

// redirect lets an origin point to where one may fetch from, and nowhere else.
func (o *Origins) redirect(req *http.Request, via []*http.Request) error {
	if len(via) > maxRedirects {
		return fmt.Errorf("more than %d redirects", maxRedirects)
	}
	if !o.allows(req.URL) || req.URL.Scheme == "file" {
		return fmt.Errorf("%w: it points to %s", errRefused, req.URL.Redacted())
	}
	return nil
}

var errRefused = errors.New("no configured origin allows it")

// origin is a URI that may be fetched.
type origin struct {
	*Origins
	uri *url.URL
}

// find returns where to fetch uri from. Errors are gRPC's: NOT_FOUND,
// PERMISSION_DENIED.
func (o *Origins) find(uri string) (origin, error) {
	u, err := parseURI(uri)
	if err != nil {
		return origin{}, status.Errorf(codes.NotFound, "nobody has pushed %q, and it cannot be fetched: %v", uri, err)
	}
	if o == nil || !o.allows(u) {
		return origin{}, status.Errorf(codes.PermissionDenied, "nobody has pushed %q, and this farm may not fetch it: serve --asset_origin says from where it may", uri)
	}
	return origin{o, u}, nil
}

// open begins to read. Errors are gRPC's where the origin is at fault.
func (o origin) open(ctx context.Context) (io.ReadCloser, error) {
	if o.uri.Scheme == "file" {
		return o.openFile()
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, o.uri.String(), nil)
	if err != nil {
		return nil, err
	}
	resp, err := o.client.Do(req)
	switch {
	case errors.Is(err, errRefused):
		return nil, status.Error(codes.PermissionDenied, err.Error())
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil:
		return nil, status.Error(codes.Aborted, err.Error())
	case resp.StatusCode == http.StatusOK:
		return resp.Body, nil
	}
	_ = resp.Body.Close() // nothing of it is wanted
	code, ok := httpCodes[resp.StatusCode]
	if !ok {
		code = codes.Aborted
	}
	return nil, status.Errorf(code, "%s answers %s", o.uri.Redacted(), resp.Status)
}

var httpCodes = map[int]codes.Code{
	http.StatusNotFound: codes.NotFound, http.StatusGone: codes.NotFound,
	http.StatusUnauthorized: codes.PermissionDenied, http.StatusForbidden: codes.PermissionDenied,
	http.StatusTooManyRequests: codes.ResourceExhausted,
}

// openFile opens a file below the prefix that allows it, out of which no link leads.
func (o origin) openFile() (io.ReadCloser, error) {
	for _, p := range o.prefixes {
		if !below(o.uri, p) {
			continue
		}
		f, err := openBelow(p.Path, strings.TrimPrefix(strings.TrimPrefix(o.uri.Path, strings.TrimSuffix(p.Path, "/")), "/"))
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil, status.Errorf(codes.NotFound, "%s: there is no such file", o.uri)
		case err != nil:
			return nil, status.Error(codes.PermissionDenied, err.Error())
		}
		return f, nil
	}
	return nil, status.Error(codes.PermissionDenied, errRefused.Error())
}

func openBelow(dir, name string) (*os.File, error) {
	if name == "" { // the prefix is a file
		dir, name = path.Dir(dir), path.Base(dir)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	f, err := root.OpenFile(name, os.O_RDONLY|openFlags, 0)
	if err != nil {
		return nil, err
	}
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, errors.Join(fmt.Errorf("%s is no plain file", name), err, f.Close())
	}
	return f, nil
}
