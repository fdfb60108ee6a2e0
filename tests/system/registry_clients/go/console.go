// The calls of Redpanda Console, in its client of a schema registry.
package main

import (
	"context"
	"errors"
	"fmt"
	"sort"

	"github.com/twmb/franz-go/pkg/sr"
)

func denied(what string, code int, err error) {
	var refusal *sr.ResponseError
	if !errors.As(err, &refusal) || refusal.ErrorCode != code {
		fail("%s: wanted error %d, got %v", what, code, err)
	}
}

func versionsOf(schemas []sr.SubjectSchema) []string {
	found := []string{}
	for _, one := range schemas {
		found = append(found, fmt.Sprintf("%s %d", one.Subject, one.Version))
	}
	sort.Strings(found)
	return found
}

func settings(client *sr.Client, subject string) {
	ctx := context.Background()
	mode := client.Mode(ctx, subject)[0]
	denied("Mode", 40409, mode.Err)
	mode = client.Mode(ctx)[0]
	expect("Mode", sr.ModeReadWrite, mode.Mode, mode.Err)
	mode = client.SetMode(ctx, sr.ModeReadOnly, subject)[0]
	expect("SetMode", sr.ModeReadOnly, mode.Mode, mode.Err)
	_, err := client.RegisterSchema(ctx, subject, sr.Schema{Schema: `"int"`}, -1, -1)
	denied("RegisterSchema", 42205, err)
	mode = client.ResetMode(ctx, subject)[0]
	expect("ResetMode", sr.ModeReadOnly, mode.Mode, mode.Err)
	denied("ResetMode", 40401, client.ResetMode(ctx, subject)[0].Err)
	level := client.Compatibility(ctx, subject)[0]
	denied("Compatibility", 40408, level.Err)
	level = client.Compatibility(sr.WithParams(ctx, sr.DefaultToGlobal), subject)[0]
	expect("Compatibility", nil, level.Err, nil)
	wanted := sr.SetCompatibility{Level: sr.CompatBackward, Group: "line"}
	level = client.SetCompatibility(ctx, wanted, subject)[0]
	expect("SetCompatibility", sr.CompatBackward, level.Level, level.Err)
	level = client.Compatibility(ctx, subject)[0]
	expect("Compatibility", "BACKWARD line", level.Level.String()+" "+level.Group, level.Err)
}

func console(url, subject string) {
	ctx := context.Background()
	deleted := sr.WithParams(ctx, sr.ShowDeleted)
	client, err := sr.NewClient(sr.URLs(url))
	if err != nil {
		fail("%v", err)
	}
	types, err := client.SupportedTypes(ctx)
	expect("SupportedTypes", []sr.SchemaType{sr.TypeAvro}, types, err)
	settings(client, subject)
	schema := func(kind, line string) sr.Schema {
		text := fmt.Sprintf(`{"type":"record","name":"R","fields":[{"name":"a","type":"%s","doc":"%s"}]}`, kind, subject)
		properties := map[string]string{"line": line}
		return sr.Schema{Schema: text, SchemaMetadata: &sr.SchemaMetadata{Properties: properties}}
	}
	first, err := client.CreateSchema(ctx, subject, schema("int", "one"))
	expect("CreateSchema", fmt.Sprintf("%s 1", subject), fmt.Sprintf("%s %d", first.Subject, first.Version), err)
	found, err := client.LookupSchema(ctx, subject, schema("int", "one"))
	expect("LookupSchema", first.ID, found.ID, err)
	verdict, err := client.CheckCompatibility(sr.WithParams(ctx, sr.Verbose), subject, 1, schema("string", "one"))
	expect("CheckCompatibility", false, verdict.Is || len(verdict.Messages) == 0, err)
	_, err = client.CheckCompatibility(ctx, subject, 7, schema("string", "one"))
	denied("CheckCompatibility", 40402, err)
	_, err = client.CreateSchema(ctx, subject, schema("string", "one"))
	denied("CreateSchema", 409, err)
	second, err := client.CreateSchema(ctx, subject, schema("string", "two")) // of another group
	expect("CreateSchema", 2, second.Version, err)
	_, err = client.CreateSchema(ctx, subject, sr.Schema{Schema: `{"type":"what"}`})
	denied("CreateSchema", 42201, err)
	user := sr.Schema{
		Schema:     `{"type":"record","name":"U","fields":[{"name":"r","type":"R"}]}`,
		References: []sr.SchemaReference{{Name: "R", Subject: subject, Version: 1}},
	}
	used, err := client.CreateSchema(ctx, subject+"-user", user)
	expect("CreateSchema", user.References, used.References, err)
	users, err := client.SchemaReferences(deleted, subject, 1)
	expect("SchemaReferences", []string{subject + "-user 1"}, versionsOf(users), err)
	usages, err := client.SchemaUsagesByID(deleted, first.ID)
	expect("SchemaUsagesByID", []string{subject + " 1"}, versionsOf(usages), err)
	all, err := client.AllSchemas(sr.WithParams(ctx, sr.SubjectPrefix(subject), sr.LatestOnly))
	expect("AllSchemas", []string{subject + " 2", subject + "-user 1"}, versionsOf(all), err)
	denied("DeleteSchema", 42206, client.DeleteSchema(ctx, subject, 1, sr.SoftDelete))
	_, err = client.DeleteSubject(ctx, subject+"-user", sr.SoftDelete)
	expect("DeleteSubject", nil, nil, err)
	_, err = client.DeleteSubject(ctx, subject+"-user", sr.HardDelete)
	expect("DeleteSubject", nil, nil, err)
	expect("DeleteSchema", nil, nil, client.DeleteSchema(ctx, subject, 1, sr.SoftDelete))
	versions, err := client.SubjectVersions(ctx, subject)
	expect("SubjectVersions", []int{2}, versions, err)
	schemas, err := client.Schemas(deleted, subject)
	expect("Schemas", []string{subject + " 1", subject + " 2"}, versionsOf(schemas), err)
	latest, err := client.SchemaByVersion(deleted, subject, -1)
	expect("SchemaByVersion", second.ID, latest.ID, err)
	byID, err := client.SchemaByID(ctx, second.ID)
	expect("SchemaByID", schema("string", "two").Schema, byID.Schema, err)
	level := client.ResetCompatibility(ctx, subject)[0]
	expect("ResetCompatibility", nil, level.Err, nil)
	contexts, err := client.Contexts(ctx)
	expect("Contexts", ".", contexts[0], err)
	versions, err = client.DeleteSubject(ctx, subject, sr.SoftDelete)
	expect("DeleteSubject", []int{2}, versions, err)
	subjects, err := client.Subjects(sr.WithParams(ctx, sr.ShowDeleted, sr.SubjectPrefix(subject)))
	expect("Subjects", []string{subject}, subjects, err)
	versions, err = client.DeleteSubject(ctx, subject, sr.HardDelete)
	expect("DeleteSubject", []int{1, 2}, versions, err)
	managed := ":." + subject + ":s"
	_, err = client.RegisterSchema(ctx, managed, sr.Schema{Schema: `"int"`}, -1, -1)
	expect("RegisterSchema", nil, nil, err)
	contexts, err = client.Contexts(sr.WithParams(ctx, sr.ContextPrefix("."+subject)))
	expect("Contexts", []string{"." + subject}, contexts, err)
	denied("DeleteContext", 42211, client.DeleteContext(ctx, "."+subject))
	_, err = client.DeleteSubject(ctx, managed, sr.SoftDelete)
	expect("DeleteSubject", nil, nil, err)
	_, err = client.DeleteSubject(ctx, managed, sr.HardDelete)
	expect("DeleteSubject", nil, nil, err)
	expect("DeleteContext", nil, nil, client.DeleteContext(ctx, "."+subject))
	contexts, err = client.Contexts(sr.WithParams(ctx, sr.ContextPrefix("."+subject)))
	expect("Contexts", []string{}, contexts, err)
}
