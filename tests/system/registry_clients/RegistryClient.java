// Confluent's Java client of a schema registry, as Flink's jar ships it, and Avro for Java.
// usage: java -cp JARS RegistryClient.java URL SUBJECT, records (base64) as lines on stdin
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.InputStreamReader;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import org.apache.flink.avro.registry.confluent.shaded.io.confluent.kafka.schemaregistry.ParsedSchema;
import org.apache.flink.avro.registry.confluent.shaded.io.confluent.kafka.schemaregistry.avro.AvroSchema;
import org.apache.flink.avro.registry.confluent.shaded.io.confluent.kafka.schemaregistry.client.CachedSchemaRegistryClient;
import org.apache.flink.avro.registry.confluent.shaded.io.confluent.kafka.schemaregistry.client.SchemaRegistryClient;
import org.apache.flink.avro.registry.confluent.shaded.io.confluent.kafka.schemaregistry.client.rest.entities.SchemaReference;
import org.apache.flink.avro.registry.confluent.shaded.io.confluent.kafka.schemaregistry.client.rest.exceptions.RestClientException;
import org.apache.flink.avro.shaded.org.apache.avro.Schema;
import org.apache.flink.avro.shaded.org.apache.avro.generic.GenericDatumReader;
import org.apache.flink.avro.shaded.org.apache.avro.generic.GenericDatumWriter;
import org.apache.flink.avro.shaded.org.apache.avro.io.BinaryDecoder;
import org.apache.flink.avro.shaded.org.apache.avro.io.BinaryEncoder;
import org.apache.flink.avro.shaded.org.apache.avro.io.DecoderFactory;
import org.apache.flink.avro.shaded.org.apache.avro.io.EncoderFactory;

public class RegistryClient {
    interface Call {
        Object run() throws Exception;
    }

    static void expect(Object wanted, Object got) {
        if (!wanted.equals(got)) {
            throw new AssertionError("wanted " + wanted + ", got " + got);
        }
    }

    static void refused(int code, Call call) throws Exception {
        try {
            throw new AssertionError("not refused: " + call.run());
        } catch (RestClientException e) {
            expect(code, e.getErrorCode());
        }
    }

    /** As KafkaAvroDeserializer: the schema of the id, then all bytes. What is read is written again, the same. */
    static void decode(SchemaRegistryClient client, byte[] record) throws Exception {
        ByteBuffer buffer = ByteBuffer.wrap(record);
        expect((byte) 0, buffer.get());
        Schema schema = ((AvroSchema) client.getSchemaById(buffer.getInt())).rawSchema();
        BinaryDecoder decoder = DecoderFactory.get().binaryDecoder(record, 5, record.length - 5, null);
        Object value = new GenericDatumReader<Object>(schema).read(null, decoder);
        expect(true, decoder.isEnd());
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        BinaryEncoder encoder = EncoderFactory.get().binaryEncoder(bytes, null);
        new GenericDatumWriter<Object>(schema).write(value, encoder);
        encoder.flush();
        if (!Arrays.equals(bytes.toByteArray(), Arrays.copyOfRange(record, 5, record.length))) {
            throw new AssertionError("written again it differs: " + value);
        }
    }

    static AvroSchema record(String fields) {
        return new AvroSchema("{\"type\":\"record\",\"name\":\"R\",\"fields\":[" + fields + "]}");
    }

    static void manage(SchemaRegistryClient client, String subject) throws Exception {
        AvroSchema first = record("{\"name\":\"a\",\"type\":\"int\"}");
        AvroSchema second = record("{\"name\":\"a\",\"type\":\"long\"}");
        AvroSchema wrong = record("{\"name\":\"a\",\"type\":\"string\"}");
        int id = client.register(subject, first);
        expect(id, client.getId(subject, first));
        expect(1, client.getVersion(subject, first));
        expect("BACKWARD", client.updateCompatibility(subject, "BACKWARD"));
        expect("BACKWARD", client.getCompatibility(subject));
        expect("BACKWARD", client.getConfig(subject).getCompatibilityLevel());
        expect(true, client.testCompatibility(subject, second));
        expect(false, client.testCompatibility(subject, wrong));
        expect(true, client.testCompatibilityVerbose(subject, wrong).toString().contains("TYPE_MISMATCH"));
        refused(409, () -> client.register(subject, wrong));
        refused(40403, () -> client.getId(subject, wrong));
        int next = client.register(subject, second, true);
        expect(List.of(1, 2), client.getAllVersions(subject));
        expect(next, client.getLatestSchemaMetadata(subject).getId());
        expect(id, client.getSchemaMetadata(subject, 1).getId());
        expect(first.canonicalString(), client.getByVersion(subject, 1, false).getSchema());
        expect(first.canonicalString(), client.getSchemaBySubjectAndId(subject, id).canonicalString());
        expect(true, client.getAllSubjects().contains(subject));
        expect(List.of(subject), List.copyOf(client.getAllSubjectsByPrefix(subject)));
        expect(true, client.getAllSubjectsById(id).contains(subject));
        expect(true, client.getAllVersionsById(id).stream().anyMatch(v -> v.getSubject().equals(subject)));
        expect(2, client.getSchemas(subject, false, false).size());
        refused(40401, () -> client.getAllVersions(subject + "-none"));
        refused(40402, () -> client.getSchemaMetadata(subject, 9));
        refused(40403, () -> client.getSchemaById(1073741000));
        ParsedSchema fixed = new AvroSchema("{\"type\":\"fixed\",\"name\":\"F\",\"size\":2}");
        client.register(subject + "-f", fixed);
        AvroSchema user = new AvroSchema("{\"type\":\"record\",\"name\":\"U\",\"fields\":[{\"name\":\"f\","
            + "\"type\":\"F\"}]}", List.of(new SchemaReference("F", subject + "-f", 1)),
            Map.of("F", fixed.canonicalString()), null);
        int used = client.register(subject + "-u", user);
        client.reset();
        expect(user.canonicalString(), client.getSchemaById(used).canonicalString());
        client.deleteCompatibility(subject);
        expect("READONLY", client.setMode("READONLY", subject));
        expect("READONLY", client.getMode(subject));
        refused(42205, () -> client.register(subject, wrong));
        client.deleteMode(subject);
        expect("READWRITE", client.getMode());
        expect(1, client.deleteSchemaVersion(subject, "1"));
        expect(List.of(2), client.getAllVersions(subject));
        expect(List.of(1, 2), client.getAllVersions(subject, true));
        expect(List.of(2), client.deleteSubject(subject));
        expect(List.of(1, 2), client.deleteSubject(subject, true));
        expect(false, client.getAllSubjects(true).contains(subject));
    }

    public static void main(String[] arguments) throws Exception {
        SchemaRegistryClient client = new CachedSchemaRegistryClient(arguments[0], 1000);
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in));
        int count = 0;
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            decode(client, Base64.getDecoder().decode(line));
            count++;
        }
        manage(client, arguments[1]);
        System.out.println(count);
    }
}
