// Receives CloudEvents with the Go SDK, in every mode: PORT FILE. Each event becomes a line of FILE, or what is wrong.
package main

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"strings"

	cloudevents "github.com/cloudevents/sdk-go/v2"
	"github.com/cloudevents/sdk-go/v2/binding"
	"github.com/cloudevents/sdk-go/v2/event"
	cehttp "github.com/cloudevents/sdk-go/v2/protocol/http"
)

func read(request *http.Request) ([]event.Event, error) {
	if strings.HasPrefix(request.Header.Get("Content-Type"), "application/cloudevents-batch") {
		return cehttp.NewEventsFromHTTPRequest(request)
	}
	one, err := cehttp.NewEventFromHTTPRequest(request)
	if err != nil {
		return nil, err
	}
	return []event.Event{*one}, nil
}

// again writes the event in binary mode and reads it.
func again(one event.Event) (*event.Event, error) {
	request, err := http.NewRequest(http.MethodPost, "http://localhost", nil)
	if err != nil {
		return nil, err
	}
	message := binding.ToMessage(&one)
	if err := cehttp.WriteRequest(cloudevents.WithEncodingBinary(context.Background()), message, request); err != nil {
		return nil, err
	}
	return cehttp.NewEventFromHTTPRequest(request)
}

func main() {
	file, err := os.OpenFile(os.Args[2], os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		panic(err)
	}
	write := json.NewEncoder(file)
	note := func(value any) {
		if err := write.Encode(value); err != nil {
			panic(err)
		}
	}
	http.HandleFunc("/", func(response http.ResponseWriter, request *http.Request) {
		events, err := read(request)
		if err != nil {
			note(map[string]string{"error": err.Error()})
		}
		for _, one := range events {
			other, err := again(one)
			if err == nil {
				err = one.Validate()
			}
			if err != nil {
				note(map[string]string{"error": err.Error()})
				continue
			}
			note(map[string]any{"event": one, "again": other})
		}
		response.WriteHeader(http.StatusNoContent)
	})
	panic(http.ListenAndServe("127.0.0.1:"+os.Args[1], nil))
}
