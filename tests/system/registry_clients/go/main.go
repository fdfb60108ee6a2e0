// Confluent's Go client of a schema registry, its Avro deserialiser, and the client of Redpanda Console.
// usage: registryclient URL TOPIC, records on stdin as lines "key BASE64" or "value BASE64"
package main

import (
	"bufio"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"reflect"
	"strings"

	"github.com/confluentinc/confluent-kafka-go/v2/schemaregistry"
	"github.com/confluentinc/confluent-kafka-go/v2/schemaregistry/rest"
	"github.com/confluentinc/confluent-kafka-go/v2/schemaregistry/serde"
	"github.com/confluentinc/confluent-kafka-go/v2/schemaregistry/serde/avrov2"
)

func fail(format string, arguments ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", arguments...)
	os.Exit(1)
}

func expect(what string, wanted, got any, err error) {
	if err != nil || !reflect.DeepEqual(wanted, got) {
		fail("%s: wanted %v, got %v, %v", what, wanted, got, err)
	}
}

func refused(what string, code int, err error) {
	var refusal *rest.Error
	if !errors.As(err, &refusal) || refusal.Code != code {
		fail("%s: wanted error %d, got %v", what, code, err)
	}
}

func decode(client schemaregistry.Client, topic string) int {
	deserializers := map[string]*avrov2.Deserializer{}
	for kind, of := range map[string]serde.Type{"key": serde.KeySerde, "value": serde.ValueSerde} {
		d, err := avrov2.NewDeserializer(client, of, avrov2.NewDeserializerConfig())
		if err != nil {
			fail("%v", err)
		}
		deserializers[kind] = d
	}
	count := 0
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<24)
	for ; lines.Scan(); count++ {
		kind, text, _ := strings.Cut(lines.Text(), " ")
		bytes, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			fail("%v", err)
		}
		value := map[string]any{}
		if err := deserializers[kind].DeserializeInto(topic, bytes, &value); err != nil || len(value) == 0 {
			fail("record %d: %s: %v", count, kind, err)
		}
	}
	return count
}

func manage(client schemaregistry.Client, subject string) {
	schema := func(kind string) schemaregistry.SchemaInfo {
		field := fmt.Sprintf(`{"name":"a","type":"%s","doc":"%s"}`, kind, subject) // in this subject only
		return schemaregistry.SchemaInfo{Schema: `{"type":"record","name":"R","fields":[` + field + `]}`}
	}
	back := schemaregistry.Compatibility(schemaregistry.Backward)
	id, err := client.Register(subject, schema("int"), false)
	got, err2 := client.GetID(subject, schema("int"), false)
	expect("GetID", id, got, errors.Join(err, err2))
	version, err := client.GetVersion(subject, schema("int"), false)
	expect("GetVersion", 1, version, err)
	level, err := client.UpdateCompatibility(subject, back)
	expect("UpdateCompatibility", back, level, err)
	level, err = client.GetCompatibility(subject)
	expect("GetCompatibility", back, level, err)
	_, err = client.GetDefaultCompatibility()
	expect("GetDefaultCompatibility", nil, nil, err)
	config, err := client.GetConfig(subject, true)
	expect("GetConfig", back, config.CompatibilityLevel, err)
	config, err = client.UpdateConfig(subject, schemaregistry.ServerConfig{CompatibilityUpdate: back})
	expect("UpdateConfig", back, config.CompatibilityUpdate, err)
	_, err = client.GetDefaultConfig()
	expect("GetDefaultConfig", nil, nil, err)
	is, err := client.TestCompatibility(subject, 1, schema("long"))
	expect("TestCompatibility", true, is, err)
	is, err = client.TestSubjectCompatibility(subject, schema("string"))
	expect("TestSubjectCompatibility", false, is, err)
	_, err = client.Register(subject, schema("string"), false)
	refused("Register", 409, err)
	_, err = client.GetID(subject, schema("string"), false)
	refused("GetID", 40403, err)
	full, err := client.RegisterFullResponse(subject, schema("long"), true)
	expect("RegisterFullResponse", subject, subject, err)
	info, err := client.GetBySubjectAndID(subject, id)
	expect("GetBySubjectAndID", schema("int").Schema, info.Schema, err)
	places, err := client.GetSubjectsAndVersionsByID(id)
	expect("GetSubjectsAndVersionsByID", []schemaregistry.SubjectAndVersion{{Subject: subject, Version: 1}}, places, err)
	latest, err := client.GetLatestSchemaMetadata(subject)
	expect("GetLatestSchemaMetadata", full.ID, latest.ID, err)
	first, err := client.GetSchemaMetadata(subject, 1)
	expect("GetSchemaMetadata", id, first.ID, err)
	_, err = client.GetLatestWithMetadata(subject, map[string]string{"a": "b"}, false)
	refused("GetLatestWithMetadata", 40403, err)
	_, err = client.GetSchemaMetadata(subject, 9)
	refused("GetSchemaMetadata", 40402, err)
	versions, err := client.GetAllVersions(subject)
	expect("GetAllVersions", []int{1, 2}, versions, err)
	subjects, err := client.GetAllSubjects()
	expect("GetAllSubjects", true, strings.Contains(strings.Join(subjects, " "), subject), err)
	_, err = client.GetAllContexts()
	expect("GetAllContexts", nil, nil, err)
	deleted, err := client.DeleteSubjectVersion(subject, 1, false)
	expect("DeleteSubjectVersion", 1, deleted, err)
	first, err = client.GetSchemaMetadataIncludeDeleted(subject, 1, true)
	expect("GetSchemaMetadataIncludeDeleted", id, first.ID, err)
	versions, err = client.DeleteSubject(subject, false)
	expect("DeleteSubject", []int{2}, versions, err)
	versions, err = client.DeleteSubject(subject, true)
	expect("DeleteSubject", []int{1, 2}, versions, err)
	_, err = client.GetAllVersions(subject)
	refused("GetAllVersions", 40401, err)
}

func main() {
	client, err := schemaregistry.NewClient(schemaregistry.NewConfig(os.Args[1]))
	if err != nil {
		fail("%v", err)
	}
	count := decode(client, os.Args[2])
	manage(client, os.Args[2]+"-go")
	console(os.Args[1], os.Args[2]+"-console")
	fmt.Println(count)
}
