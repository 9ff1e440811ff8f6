package bench;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Instant;
import java.util.Arrays;
import java.util.UUID;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;

/** One event in, one ScoredLead out, with our headers; the profile is kept as bytes. */
final class Work implements Processor<byte[], byte[], byte[], byte[]> {
    private static final UUID NAMESPACE = UUID.fromString("6f9b2f0e-5d0c-5b7a-9a51-0b1d7c5e8a11");
    private static final long DAY_MICROS = 86_400_000_000L;
    private static final byte[] VERSION = bytes("1.0");
    private static final byte[] SOURCE = bytes("baton/scoring");
    private static final byte[] TYPE = bytes("baton.scored_lead.v1");
    private static final byte[] JSON = bytes("application/json");

    private final Scorer scorer;
    private final Rules rules;
    private final MessageDigest sha1;
    private ProcessorContext<byte[], byte[]> context;
    private KeyValueStore<Bytes, byte[]> profiles;

    Work(Scorer scorer, Rules rules) {
        this.scorer = scorer;
        this.rules = rules;
        try {
            sha1 = MessageDigest.getInstance("SHA-1");
        } catch (NoSuchAlgorithmException never) {
            throw new IllegalStateException(never);
        }
    }

    @Override
    public void init(ProcessorContext<byte[], byte[]> context) {
        this.context = context;
        this.profiles = context.getStateStore("profiles");
    }

    @Override
    public void process(Record<byte[], byte[]> record) {
        try {
            Event event = Event.of(record.value(), rules);
            if (!Arrays.equals(record.key(), bytes(event.leadId)) || event.at > record.timestamp() * 1_000 + DAY_MICROS) {
                throw new IllegalArgumentException("key or time");
            }
            Bytes key = Bytes.wrap(record.key());
            byte[] stored = profiles.get(key);
            Profile profile = stored == null ? new Profile() : Profile.decode(stored);
            byte[] value = scorer.score(profile, event);
            if (value != null) {
                profiles.put(key, profile.encode());
                context.forward(record.withValue(value).withHeaders(headers(record.headers(), event, profile)));
            }
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
    }

    private Headers headers(Headers given, Event event, Profile profile) {
        Headers headers = new RecordHeaders();
        headers.add("ce_specversion", VERSION);
        headers.add("ce_id", bytes(uuid5("scored:" + event.leadId + ":" + event.id).toString()));
        headers.add("ce_source", SOURCE);
        headers.add("ce_type", TYPE);
        headers.add("ce_time", bytes(Times.rfc3339(profile.asOf)));
        headers.add("content-type", JSON);
        Header received = given.lastHeader("baton_received_at");
        headers.add("baton_received_at", received != null ? received.value() : bytes(Times.rfc3339(event.receivedAt)));
        Header ingested = given.lastHeader("baton_ingested_at");
        if (ingested != null) {
            headers.add("baton_ingested_at", ingested.value());
        }
        Instant now = Instant.now();
        headers.add("baton_scored_at", bytes(Times.rfc3339(now.getEpochSecond() * 1_000_000 + now.getNano() / 1_000)));
        return headers;
    }

    private UUID uuid5(String name) {
        sha1.update(ByteBuffer.allocate(16).putLong(NAMESPACE.getMostSignificantBits()).putLong(NAMESPACE.getLeastSignificantBits()).array());
        ByteBuffer hash = ByteBuffer.wrap(sha1.digest(bytes(name)));
        return new UUID(hash.getLong() & ~0xF000L | 0x5000L, hash.getLong() & 0x3FFFFFFFFFFFFFFFL | 0x8000000000000000L);
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
