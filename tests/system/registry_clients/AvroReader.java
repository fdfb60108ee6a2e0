// Avro for Java alone, with its default strictness: names and defaults of schemas are checked, unless "any" is given:
// then names may be those that Debezium makes of odd ones, whose namespace may have a part that begins with a digit.
// usage: java -cp JARS AvroReader.java [any], on stdin lines "SCHEMA RECORD", both base64
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.InputStreamReader;
import java.util.Base64;
import java.util.HashMap;
import java.util.Map;
import org.apache.avro.NameValidator;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericDatumWriter;
import org.apache.avro.io.BinaryDecoder;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.DecoderFactory;
import org.apache.avro.io.EncoderFactory;

public class AvroReader {
    static Object decode(Schema schema, byte[] record) throws Exception {
        BinaryDecoder decoder = DecoderFactory.get().binaryDecoder(record, null);
        Object value = new GenericDatumReader<Object>(schema).read(null, decoder);
        if (!decoder.isEnd()) {
            throw new AssertionError("bytes are left behind: " + value);
        }
        return value;
    }

    static void read(Schema schema, byte[] record) throws Exception {
        Object value = decode(schema, record);
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        BinaryEncoder encoder = EncoderFactory.get().binaryEncoder(bytes, null);
        new GenericDatumWriter<Object>(schema).write(value, encoder);
        encoder.flush();
        // The order of a map's entries is not kept.
        if (bytes.size() != record.length || !decode(schema, bytes.toByteArray()).equals(value)) {
            throw new AssertionError("written again it differs: " + value + " of " + schema);
        }
    }

    public static void main(String[] arguments) throws Exception {
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in));
        boolean any = arguments.length > 0 && arguments[0].equals("any");
        NameValidator names = any ? NameValidator.NO_VALIDATION : NameValidator.UTF_VALIDATOR;
        Map<String, Schema> schemas = new HashMap<>();
        int count = 0;
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            String[] parts = line.split(" ", -1);
            Schema schema = schemas.get(parts[0]);
            if (schema == null) {
                schema = new Schema.Parser(names).parse(new String(Base64.getDecoder().decode(parts[0]), "UTF-8"));
                schemas.put(parts[0], schema);
            }
            read(schema, Base64.getDecoder().decode(parts[1]));
            count++;
        }
        System.out.println(count);
    }
}
