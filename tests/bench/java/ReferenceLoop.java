import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * What contribd does, less everything but Kafka, with Kafka's own client and its own settings; and what measures both.
 *
 * <p>{@code copy BOOTSTRAP PRICES RESULTS GROUP TRANSACTIONAL_ID} until it is killed; {@code read BOOTSTRAP TOPIC...}
 * prints "topic source milliseconds" for each record when it is seen, until it is killed; {@code feed BOOTSTRAP TOPIC
 * COUNT RATE} produces prices of as many instruments, keyed by them.
 */
final class ReferenceLoop {
    private static final Duration POLL = Duration.ofMillis(100);

    public static void main(String[] arguments) throws Exception {
        String[] rest = java.util.Arrays.copyOfRange(arguments, 2, arguments.length);
        switch (arguments[0]) {
            case "copy" -> copy(arguments[1], rest[0], rest[1], rest[2], rest[3]);
            case "read" -> read(arguments[1], List.of(rest));
            case "feed" -> feed(arguments[1], rest[0], Integer.parseInt(rest[1]), Double.parseDouble(rest[2]));
            default -> throw new IllegalArgumentException(arguments[0]);
        }
    }

    private static void copy(String bootstrap, String prices, String results, String group, String transactionalId) {
        Map<String, Object> consuming = consumer(bootstrap);
        consuming.put(ConsumerConfig.GROUP_ID_CONFIG, group);
        consuming.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");
        KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(consuming);
        consumer.subscribe(List.of(prices));
        KafkaProducer<byte[], byte[]> producer = producer(bootstrap, transactionalId);
        producer.initTransactions();
        System.out.println("ready");
        while (true) {
            ConsumerRecords<byte[], byte[]> polled = consumer.poll(POLL);
            if (polled.isEmpty()) {
                continue;
            }
            try {
                write(polled, results, consumer, producer);
            } catch (KafkaException failed) {
                System.err.println("the transaction failed: " + failed);
                producer.close(Duration.ZERO);
                producer = producer(bootstrap, transactionalId);
                producer.initTransactions();
                back(consumer);
            }
        }
    }

    private static void write(
            ConsumerRecords<byte[], byte[]> polled,
            String results,
            KafkaConsumer<byte[], byte[]> consumer,
            KafkaProducer<byte[], byte[]> producer) {
        producer.beginTransaction();
        Map<TopicPartition, OffsetAndMetadata> offsets = new HashMap<>();
        for (ConsumerRecord<byte[], byte[]> price : polled) {
            ProducerRecord<byte[], byte[]> result = new ProducerRecord<>(results, price.key(), price.value());
            String source = price.topic() + ":" + price.partition() + ":" + price.offset();
            result.headers().add("source", source.getBytes(StandardCharsets.UTF_8));
            producer.send(result);
            TopicPartition partition = new TopicPartition(price.topic(), price.partition());
            offsets.put(partition, new OffsetAndMetadata(price.offset() + 1));
        }
        producer.sendOffsetsToTransaction(offsets, consumer.groupMetadata());
        producer.commitTransaction();
    }

    /** To what the group has committed. */
    private static void back(KafkaConsumer<byte[], byte[]> consumer) {
        consumer.committed(consumer.assignment()).forEach((partition, committed) -> {
            if (committed != null) {
                consumer.seek(partition, committed.offset());
            } else {
                consumer.seekToBeginning(List.of(partition));
            }
        });
    }

    private static void read(String bootstrap, List<String> topics) {
        Map<String, Object> settings = consumer(bootstrap);
        // Told of new leaders at once, so that what is measured is the writers' time and not the reader's.
        settings.put("metadata.max.age.ms", 200);
        settings.put("reconnect.backoff.max.ms", 100);
        KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(settings);
        List<TopicPartition> partitions = new ArrayList<>();
        for (String topic : topics) {
            consumer.partitionsFor(topic).forEach(each -> partitions.add(new TopicPartition(topic, each.partition())));
        }
        consumer.assign(partitions);
        consumer.seekToBeginning(partitions);
        System.out.println("ready");
        while (true) {
            ConsumerRecords<byte[], byte[]> polled = consumer.poll(POLL);
            long now = System.currentTimeMillis();
            for (ConsumerRecord<byte[], byte[]> each : polled) {
                String source = new String(each.headers().lastHeader("source").value(), StandardCharsets.UTF_8);
                System.out.println(each.topic() + " " + source + " " + now);
            }
        }
    }

    private static void feed(String bootstrap, String topic, int count, double rate) throws InterruptedException {
        KafkaProducer<byte[], byte[]> producer = producer(bootstrap, null);
        long start = System.nanoTime();
        for (int number = 0; number < count; number++) {
            String pair = String.format("P%06d", number);
            String price = "{\"asset\":\"FX\",\"tenor\":\"SP\",\"pair\":\"" + pair + "\",\"bid\":1.08,\"ask\":1.09,"
                    + "\"sizes\":[{\"bid\":1000000}],\"quoted_at\":\"2026-11-20T10:15:30.123456Z\"}";
            producer.send(new ProducerRecord<>(topic, pair.getBytes(StandardCharsets.UTF_8),
                    price.getBytes(StandardCharsets.UTF_8)));
            long ahead = start + (long) ((number + 1) / rate * 1e9) - System.nanoTime();
            if (ahead > 0) {
                Thread.sleep(ahead / 1_000_000, (int) (ahead % 1_000_000));
            }
        }
        producer.close();
    }

    private static Map<String, Object> consumer(String bootstrap) {
        Map<String, Object> settings = new HashMap<>();
        settings.put(ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG, bootstrap);
        settings.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, false);
        settings.put(ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed");
        settings.put(ConsumerConfig.KEY_DESERIALIZER_CLASS_CONFIG, ByteArrayDeserializer.class);
        settings.put(ConsumerConfig.VALUE_DESERIALIZER_CLASS_CONFIG, ByteArrayDeserializer.class);
        return settings;
    }

    private static KafkaProducer<byte[], byte[]> producer(String bootstrap, String transactionalId) {
        Map<String, Object> settings = new HashMap<>();
        settings.put(ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, bootstrap);
        settings.put(ProducerConfig.KEY_SERIALIZER_CLASS_CONFIG, ByteArraySerializer.class);
        settings.put(ProducerConfig.VALUE_SERIALIZER_CLASS_CONFIG, ByteArraySerializer.class);
        if (transactionalId != null) {
            settings.put(ProducerConfig.TRANSACTIONAL_ID_CONFIG, transactionalId);
        }
        return new KafkaProducer<>(settings);
    }
}
