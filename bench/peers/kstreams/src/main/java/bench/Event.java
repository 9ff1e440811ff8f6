package bench;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.LocalDate;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/** A LeadEvent, read and checked as the schema has it. Times are in microseconds since the epoch. */
final class Event {
    /** One word of consent. */
    record Word(String purpose, long at, boolean granted) {}

    private static final ObjectReader JSON = new ObjectMapper().readerFor(Map.class);
    private static final Set<String> KINDS = Set.of("email", "phone", "external_id", "anonymous_id");
    private static final List<String> CAMPAIGN = List.of("source", "medium", "name", "term", "content", "click_id");
    private static final Set<String> CAMPAIGN_NAMES = Set.copyOf(CAMPAIGN);
    private static final long EARLIEST = Instant.parse("2000-01-01T00:00:00Z").getEpochSecond() * 1_000_000;
    private static final int ID = 512;
    private static final int TEXT = 1_000;
    private static final int DEEPEST = 64;
    private static final int LONGEST_NAME = 100;
    private static final int LONGEST_EXTRA = 1_000;
    private static final long LARGEST = 1L << 53;

    String leadId;
    String id;
    String type;
    long at;
    long receivedAt;
    Map<String, Object> facts = new LinkedHashMap<>();
    Map<String, Object> campaign;
    List<Word> consent = List.of();
    List<String> verdicts = List.of();
    Map<String, Object> json;

    /** Read and check a record's value. */
    static Event of(byte[] raw, Rules rules) throws IOException {
        Map<String, Object> tree = JSON.readValue(raw);
        checkDepth(raw);
        Event event = new Event();
        version(tree);
        event.leadId = text(tree, "lead_id", 1, ID, true);
        event.receivedAt = time(tree, "received_at", true);
        Map<String, Object> identity = object(tree, "identity", true);
        need(KINDS.contains(text(identity, "kind", 1, ID, true)), "identity.kind");
        texts(identity, "links", 1, ID);
        event.verdicts = texts(tree, "quality", 0, Integer.MAX_VALUE);
        event.json = object(tree, "event", true);
        event.readEvent(rules);
        return event;
    }

    private void readEvent(Rules rules) {
        version(json);
        id = text(json, "event_id", 1, ID, true);
        type = text(json, "type", 1, ID, true);
        at = time(json, "occurred_at", true);
        need(at >= EARLIEST, "occurred_at");
        text(json, "source", 1, ID, true);
        time(json, "received_at", false);
        Map<String, Object> subject = object(json, "subject", false);
        text(subject, "email", 0, 320, false);
        text(subject, "phone", 0, 64, false);
        text(subject, "anonymous_id", 1, ID, false);
        text(subject, "external_id", 1, ID, false);
        Map<String, Object> attributes = object(json, "attributes", false);
        for (String name : rules.attributes) {
            if (name.equals("employees")) {
                Object heads = attributes.get(name);
                need(heads == null || (heads instanceof Integer || heads instanceof Long) && ((Number) heads).longValue() >= 0, name);
            } else {
                text(attributes, name, 0, TEXT, false);
            }
        }
        object(json, "properties", false);
        Map<String, Object> touch = object(json, "campaign", false);
        for (String name : CAMPAIGN) {
            text(touch, name, 0, TEXT, false);
        }
        consent = consent(json.get("consent"));
        Object test = json.get("is_test");
        need(test == null || test instanceof Boolean, "is_test");
        take(subject, rules.subject);
        take(attributes, rules.attributes);
        campaign = campaign(touch);
    }

    private void take(Map<String, Object> part, Set<String> known) {
        for (Map.Entry<String, Object> one : part.entrySet()) {
            if (known.contains(one.getKey())) {
                if (says(one.getValue())) {
                    facts.put(one.getKey(), one.getValue());
                }
            } else if (one.getKey().length() <= LONGEST_NAME && says(one.getValue()) && isSmall(one.getValue())) {
                facts.put("extra." + one.getKey(), one.getValue());
            }
        }
    }

    private List<Word> consent(Object list) {
        if (list == null) {
            return List.of();
        }
        need(list instanceof List<?> words && words.size() <= 100, "consent");
        List<Word> words = new ArrayList<>();
        for (Object item : (List<?>) list) {
            need(item instanceof Map, "consent");
            @SuppressWarnings("unchecked")
            Map<String, Object> word = (Map<String, Object>) item;
            need(word.get("granted") instanceof Boolean, "consent.granted");
            text(word, "basis", 0, TEXT, false);
            long when = time(word, "at", false);
            words.add(new Word(text(word, "purpose", 1, ID, true), when == Long.MIN_VALUE ? at : when, (Boolean) word.get("granted")));
        }
        return words;
    }

    private static Map<String, Object> campaign(Map<String, Object> part) {
        if (part.isEmpty()) {
            return null;
        }
        Map<String, Object> found = new LinkedHashMap<>();
        for (String name : CAMPAIGN) {
            if (says(part.get(name))) {
                found.put(name, part.get(name));
            }
        }
        for (String name : new TreeSet<>(part.keySet())) {
            if (!CAMPAIGN_NAMES.contains(name) && name.length() <= LONGEST_NAME && says(part.get(name)) && isSmall(part.get(name))) {
                found.put(name, part.get(name));
                if (found.size() == 2 * CAMPAIGN.size()) {
                    break;
                }
            }
        }
        return found.isEmpty() ? null : found;
    }

    private static boolean says(Object value) {
        if (value instanceof String text) {
            return !text.isBlank();
        }
        if (value instanceof Integer || value instanceof Long) {
            return Math.abs(((Number) value).longValue()) <= LARGEST;
        }
        return !Condition.isMissing(value);
    }

    private static boolean isSmall(Object value) {
        String text = value instanceof String written ? written : String.valueOf(value);
        return text.length() <= LONGEST_EXTRA / 4 || text.getBytes(StandardCharsets.UTF_8).length <= LONGEST_EXTRA;
    }

    private static void checkDepth(byte[] raw) {
        int open = 0;
        for (byte sign : raw) {
            if (sign == '{' || sign == '[') {
                open++;
            }
        }
        need(open <= DEEPEST, "depth");
    }

    private static void version(Map<String, Object> part) {
        Object version = part.get("schema_version");
        need(version == null || version.equals(1), "schema_version");
    }

    @SuppressWarnings("unchecked")
    private static Map<String, Object> object(Map<String, Object> part, String name, boolean wanted) {
        Object value = part.get(name);
        if (value == null && !wanted) {
            return Map.of();
        }
        need(value instanceof Map, name);
        return (Map<String, Object>) value;
    }

    private static String text(Map<String, Object> part, String name, int least, int most, boolean wanted) {
        Object value = part.get(name);
        if (value == null && !wanted) {
            return null;
        }
        need(value instanceof String text && text.length() >= least && text.length() <= most, name);
        return (String) value;
    }

    @SuppressWarnings("unchecked")
    private static List<String> texts(Map<String, Object> part, String name, int least, int most) {
        Object value = part.get(name);
        if (value == null) {
            return List.of();
        }
        need(value instanceof List, name);
        for (Object item : (List<?>) value) {
            need(item instanceof String text && text.length() >= least && text.length() <= most, name);
        }
        return (List<String>) value;
    }

    /** RFC 3339 in microseconds; the smallest long where it is absent and need not be there. */
    private static long time(Map<String, Object> part, String name, boolean wanted) {
        String written = text(part, name, 10, 40, wanted);
        if (written == null) {
            return Long.MIN_VALUE;
        }
        try {
            return written.charAt(written.length() - 1) == 'Z' ? inUtc(written) : inZone(written);
        } catch (DateTimeException | StringIndexOutOfBoundsException wrong) {
            throw new IllegalArgumentException(name + " is no time");
        }
    }

    private static long inZone(String written) {
        Instant instant = OffsetDateTime.parse(written).toInstant();
        return instant.getEpochSecond() * 1_000_000 + instant.getNano() / 1_000;
    }

    private static long inUtc(String written) {
        if (written.charAt(10) != 'T' || written.charAt(4) != '-' || written.charAt(13) != ':') {
            return inZone(written);
        }
        long day = LocalDate.of(digits(written, 0, 4), digits(written, 5, 7), digits(written, 8, 10)).toEpochDay();
        int hour = digits(written, 11, 13);
        int minute = digits(written, 14, 16);
        int second = digits(written, 17, 19);
        need(hour < 24 && minute < 60 && second < 60, "time");
        long micros = ((day * 24 + hour) * 60 + minute) * 60_000_000L + second * 1_000_000L;
        if (written.length() == 20) {
            return micros;
        }
        int unit = 100_000;
        for (int i = 20; i < written.length() - 1; i++, unit /= 10) {
            micros += (long) digits(written, i, i + 1) * unit;
        }
        return micros;
    }

    private static int digits(String written, int from, int to) {
        int number = 0;
        for (int i = from; i < to; i++) {
            int digit = written.charAt(i) - '0';
            need(digit >= 0 && digit <= 9, "time");
            number = number * 10 + digit;
        }
        return number;
    }

    private static void need(boolean held, String what) {
        if (!held) {
            throw new IllegalArgumentException(what + " is not as the schema has it");
        }
    }
}
