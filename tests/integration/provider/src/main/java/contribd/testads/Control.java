package contribd.testads;

import com.refinitiv.ema.access.OmmProvider;
import com.refinitiv.ema.access.OmmState;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * Orders from the test, one a line on stdin, each answered on stdout by {@code ok} or {@code error} and a text once it
 * has been carried out. The end of stdin ends the program, so it does not outlive the test that started it.
 */
final class Control {

    private final ConcurrentLinkedQueue<String> orders = new ConcurrentLinkedQueue<>();
    private final Services services;
    private final Login login;
    private final Rules rules;
    private volatile boolean ended;

    Control(Services services, Login login, Rules rules) {
        this.services = services;
        this.login = login;
        this.rules = rules;
    }

    void listen() {
        Thread reader = new Thread(this::read, "control");
        reader.setDaemon(true);
        reader.start();
    }

    boolean ended() {
        return ended;
    }

    void carryOut(OmmProvider provider) {
        for (String order = orders.poll(); order != null; order = orders.poll()) {
            try {
                carryOut(provider, order);
                System.out.println("ok");
            } catch (RuntimeException e) {
                System.out.println("error " + order + ": " + e);
            }
            System.out.flush();
        }
    }

    private void read() {
        try (BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                orders.add(line.strip());
            }
        } catch (IOException e) {
            System.err.println("stdin: " + e);
        } finally {
            ended = true;
        }
    }

    private void carryOut(OmmProvider provider, String order) {
        String[] words = order.split(" ");
        switch (words[0]) {
            case "service" -> services.change(provider, words.length > 2 ? words[2] : "", words[1]);
            case "login" -> login(provider, words);
            case "disconnect" -> login.disconnect(provider);
            case "delay" -> rules.delay(Long.parseLong(words[1]));
            case "silent" -> rules.silent(words[1].equals("on"));
            default -> throw new IllegalArgumentException("not an order");
        }
    }

    private void login(OmmProvider provider, String[] words) {
        switch (words[1]) {
            case "close" -> login.close(provider, OmmState.StreamState.CLOSED, "closed by the test");
            case "closerecover" -> login.close(provider, OmmState.StreamState.CLOSED_RECOVER, "closed by the test");
            case "suspect" -> login.data(provider, OmmState.DataState.SUSPECT, "suspect by the test");
            case "refresh" -> login.refresh(provider, words);
            case "ok" -> login.data(provider, OmmState.DataState.OK, "well again");
            default -> throw new IllegalArgumentException("close, closerecover, refresh, suspect or ok");
        }
    }
}
