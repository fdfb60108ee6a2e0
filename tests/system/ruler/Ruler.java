import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import software.amazon.event.ruler.JsonRuleCompiler;
import software.amazon.event.ruler.Machine;

/** Answers lines as `millrace filter --lines` does, or (bench) counts evaluations a second of one pattern. */
public class Ruler {
    public static void main(String[] arguments) throws Exception {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
        if (arguments.length > 0 && arguments[0].equals("bench")) {
            bench(in, out);
        } else {
            lines(in, out);
        }
        out.flush();
    }

    private static void lines(BufferedReader in, PrintStream out) throws Exception {
        ObjectMapper mapper = new ObjectMapper();
        for (String line; (line = in.readLine()) != null;) {
            JsonNode parts = mapper.readTree(line);
            out.println(answer(parts.get("pattern").toString(), parts.get("event").toString()));
        }
    }

    /** Machine.addRule falls back to an older compiler where this one refuses. */
    private static String answer(String pattern, String event) {
        try {
            String wrong = JsonRuleCompiler.check(pattern);
            if (wrong != null) {
                return "error: " + wrong.replace('\n', ' ');
            }
            Machine machine = new Machine();
            machine.addRule("rule", pattern);
            return machine.rulesForJSONEvent(event).isEmpty() ? "false" : "true";
        } catch (Exception e) {
            return "error: " + String.valueOf(e.getMessage()).replace('\n', ' ');
        }
    }

    /** Processor time: other programs may run beside it. */
    private static long time() {
        return ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
    }

    /** The first line is the pattern, the others are events. */
    private static void bench(BufferedReader in, PrintStream out) throws Exception {
        Machine machine = new Machine();
        machine.addRule("rule", in.readLine());
        List<String> events = new ArrayList<>();
        for (String line; (line = in.readLine()) != null;) {
            events.add(line);
        }
        for (int round = 0; round < 6; round++) {
            long start = time();
            long matches = 0;
            int count = 0;
            for (; time() - start < 500_000_000L; count += 16 * events.size()) {
                for (int i = 0; i < 16; i++) {  // reading the time takes a while, too
                    for (String event : events) {
                        matches += machine.rulesForJSONEvent(event).size();
                    }
                }
            }
            double seconds = (time() - start) / 1e9;
            if (round >= 3) {  // the first ones are compiled while they run
                out.printf("%.0f %d%n", count / seconds, matches);
            }
        }
    }
}
