package contribd.testads;

import java.io.Closeable;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.Map;

/**
 * What arrived, one JSON object a line in arrival order.
 *
 * <p>A line is handed to the operating system before the answer to it is sent: what was acked is in the file, even
 * where this program is killed a moment later.
 */
final class Journal implements Closeable {

    private final FileOutputStream file;
    private final StringBuilder line = new StringBuilder(512);

    Journal(Path path) throws IOException {
        file = new FileOutputStream(path.toFile(), true);
    }

    /** Values are texts, numbers, maps of texts, or null. */
    void write(Map<String, Object> entry) {
        line.setLength(0);
        object(entry);
        line.append('\n');
        try {
            file.write(line.toString().getBytes(StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() throws IOException {
        file.close();
    }

    private void object(Map<?, ?> entries) {
        line.append('{');
        for (Iterator<? extends Map.Entry<?, ?>> each = entries.entrySet().iterator(); each.hasNext(); ) {
            Map.Entry<?, ?> entry = each.next();
            text(entry.getKey().toString());
            line.append(':');
            value(entry.getValue());
            if (each.hasNext()) {
                line.append(',');
            }
        }
        line.append('}');
    }

    private void value(Object value) {
        if (value instanceof Map<?, ?> entries) {
            object(entries);
        } else if (value == null || value instanceof Number) {
            line.append(value);
        } else {
            text(value.toString());
        }
    }

    private void text(String text) {
        line.append('"');
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '"' || c == '\\') {
                line.append('\\').append(c);
            } else if (c < ' ') {
                line.append(String.format("\\u%04x", (int) c));
            } else {
                line.append(c);
            }
        }
        line.append('"');
    }
}
