package contribd.testads;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The command line: {@code name=value} arguments; an unknown name is refused. */
record Options(
        Path config,
        Path journal,
        List<Service> services,
        Long maxMsgSize,
        Long pingTimeout,
        boolean closing,
        long delayMillis) {

    /** A service as the source directory of the configuration file has it. */
    record Service(int id, String name) {}

    static Options parse(String[] arguments) {
        Map<String, String> given = new HashMap<>();
        for (String argument : arguments) {
            int equals = argument.indexOf('=');
            if (equals < 0) {
                throw new IllegalArgumentException(argument + ": expected name=value");
            }
            given.put(argument.substring(0, equals), argument.substring(equals + 1));
        }
        Options options = new Options(
                Path.of(need(given, "config")),
                Path.of(need(given, "journal")),
                services(need(given, "services")),
                number(given.remove("max-msg-size")),
                number(given.remove("ping-timeout")),
                Boolean.parseBoolean(given.remove("closing")),
                Long.parseLong(given.containsKey("delay") ? given.remove("delay") : "0"));
        if (!given.isEmpty()) {
            throw new IllegalArgumentException("unknown options: " + given.keySet());
        }
        return options;
    }

    private static String need(Map<String, String> given, String name) {
        String value = given.remove(name);
        if (value == null) {
            throw new IllegalArgumentException(name + "=... is missing");
        }
        return value;
    }

    /** {@code 8090:TRCC,8091:OTHER}. */
    private static List<Service> services(String text) {
        List<Service> services = new ArrayList<>();
        for (String one : text.split(",")) {
            String[] parts = one.split(":", 2);
            services.add(new Service(Integer.parseInt(parts[0]), parts[1]));
        }
        return services;
    }

    private static Long number(String text) {
        return text == null ? null : Long.valueOf(text);
    }
}
