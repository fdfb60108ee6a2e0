// Go's net/http as a function that does odd things: PORT. It closes connections that were idle for two seconds.
package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"time"
)

func flush(w http.ResponseWriter) {
	w.(http.Flusher).Flush()
}

func hijack(w http.ResponseWriter, text string, isReset bool) {
	connection, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		panic(err)
	}
	io.WriteString(connection, text)
	if isReset {
		connection.(*net.TCPConn).SetLinger(0)
	}
	connection.Close()
}

func main() {
	handle := func(path string, handler http.HandlerFunc) {
		http.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body)
			handler(w, r)
		})
	}
	port := func(r *http.Request) string { return r.RemoteAddr[strings.LastIndex(r.RemoteAddr, ":")+1:] }
	handle("/ok", func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, port(r)) })
	handle("/no-content", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(204) })
	handle("/not-modified", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(304) })
	handle("/redirect", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/elsewhere", 302) })
	handle("/throttle", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Retry-After", "7")
		w.WriteHeader(429)
	})
	handle("/close", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Connection", "close")
		io.WriteString(w, "bye")
	})
	handle("/chunked", func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "abc")
		flush(w)
		io.WriteString(w, "de")
	})
	handle("/trailers", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Trailer", "X-Sum")
		io.WriteString(w, "abcde")
		flush(w)
		w.Header().Set("X-Sum", "1")
	})
	handle("/informational", func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(103)
		io.WriteString(w, port(r))
	})
	handle("/garbage", func(w http.ResponseWriter, r *http.Request) {
		hijack(w, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 500 Smuggled\r\n\r\n", false)
	})
	handle("/trickle", func(w http.ResponseWriter, r *http.Request) {
		for i := 0; i < 60; i++ {
			io.WriteString(w, "x")
			flush(w)
			time.Sleep(200 * time.Millisecond)
		}
	})
	handle("/endless", func(w http.ResponseWriter, r *http.Request) {
		part := make([]byte, 65536)
		for {
			if _, err := w.Write(part); err != nil {
				return
			}
		}
	})
	handle("/reset", func(w http.ResponseWriter, r *http.Request) { hijack(w, "", true) })
	handle("/reset-in-head", func(w http.ResponseWriter, r *http.Request) {
		hijack(w, "HTTP/1.1 200 OK\r\nContent-", true)
	})
	handle("/reset-in-body", func(w http.ResponseWriter, r *http.Request) {
		hijack(w, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", true)
	})
	http.HandleFunc("/early", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Connection", "close")
		http.Error(w, "too large", 413)
	})
	server := http.Server{Addr: "127.0.0.1:" + os.Args[1], IdleTimeout: 2 * time.Second}
	fmt.Fprintln(os.Stderr, server.ListenAndServe())
}
