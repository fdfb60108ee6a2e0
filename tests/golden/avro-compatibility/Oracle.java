// Reads lines {"reader":"SCHEMA","writer":"SCHEMA"} and writes what Apache Avro for Java says of each pair:
// its incompatibilities as [type, location, message].
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import org.apache.avro.Schema;
import org.apache.avro.SchemaCompatibility;

public class Oracle {
    public static void main(String[] arguments) throws Exception {
        ObjectMapper json = new ObjectMapper();
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, "UTF-8"));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            JsonNode pair = json.readTree(line);
            ObjectNode out = json.createObjectNode();
            out.set("reader", pair.get("reader"));
            out.set("writer", pair.get("writer"));
            ArrayNode list = out.putArray("incompatibilities");
            try {
                Schema reader = new Schema.Parser().setValidateDefaults(false).parse(pair.get("reader").textValue());
                Schema writer = new Schema.Parser().setValidateDefaults(false).parse(pair.get("writer").textValue());
                for (SchemaCompatibility.Incompatibility i :
                     SchemaCompatibility.checkReaderWriterCompatibility(reader, writer).getResult().getIncompatibilities()) {
                    list.addArray().add(i.getType().toString()).add(i.getLocation()).add(i.getMessage());
                }
            } catch (Exception e) {
                out.put("error", e.getClass().getSimpleName());
            }
            System.out.println(json.writeValueAsString(out));
        }
    }
}
