package bench;

import java.io.File;
import java.io.IOException;
import java.util.Map;
import java.util.Properties;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;
import org.apache.kafka.streams.state.Stores;

/** Our scoring stage's work on Kafka Streams. Arguments: the guarantee, and the ruleset as the bench exports it. */
public final class Main {
    private Main() {}

    public static void main(String[] args) throws IOException {
        String guarantee = args[0];
        Rules rules = new Rules(new File(args[1]));
        Properties config = new Properties();
        config.put(StreamsConfig.APPLICATION_ID_CONFIG, told("GROUP"));
        config.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, told("BOOTSTRAP"));
        config.put(StreamsConfig.STATE_DIR_CONFIG, told("DATA"));
        config.put(StreamsConfig.REPLICATION_FACTOR_CONFIG, 1);
        config.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, 1);
        config.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, guarantee);
        config.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, guarantee.startsWith("exactly") ? 100 : 1_000);
        config.put(StreamsConfig.DEFAULT_KEY_SERDE_CLASS_CONFIG, Serdes.ByteArraySerde.class);
        config.put(StreamsConfig.DEFAULT_VALUE_SERDE_CLASS_CONFIG, Serdes.ByteArraySerde.class);
        config.put("auto.offset.reset", "earliest");
        config.put("linger.ms", "20");
        config.put("batch.size", "262144");
        config.put("max.poll.records", "4000");
        Topology topology = new Topology();
        topology.addSource("in", told("SOURCE"))
                .addProcessor("score", () -> new Work(new Scorer(rules), rules), "in")
                .addStateStore(
                        Stores.keyValueStoreBuilder(Stores.persistentKeyValueStore("profiles"), Serdes.Bytes(), Serdes.ByteArray())
                                .withLoggingEnabled(Map.of()).withCachingEnabled(),
                        "score")
                .addSink("out", told("OUT"), "score");
        KafkaStreams streams = new KafkaStreams(topology, config);
        streams.setUncaughtExceptionHandler(error -> {
            error.printStackTrace();
            return StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
        });
        streams.setStateListener((now, before) -> {
            if (now == KafkaStreams.State.ERROR) {
                Runtime.getRuntime().halt(1);
            }
        });
        Runtime.getRuntime().addShutdownHook(new Thread(() -> streams.close(java.time.Duration.ofSeconds(10))));
        streams.start();
    }

    private static String told(String name) {
        return System.getenv("BENCH_" + name);
    }
}
