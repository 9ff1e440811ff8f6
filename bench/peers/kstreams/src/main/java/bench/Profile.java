package bench;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;

/** What is remembered of a lead. Times in microseconds since the epoch; packed as services/scoring/signals.py has it. */
final class Profile {
    /** The facts of one event, or its campaign. */
    record Layer(long at, String eventId, Map<String, Object> facts) {
        int compareTo(long at, String eventId) {
            int order = Long.compare(this.at, at);
            return order != 0 ? order : this.eventId.compareTo(eventId);
        }
    }

    /** A word on consent, and the event that brought it. */
    record Word(long at, String eventId, boolean granted) {}

    static final int STAMP = 5;
    static final int ENTRY = STAMP + 8;
    static final int MOST_EVENTS = 1_000;
    private static final int MOST_EXTRAS = 50;
    private static final long SECOND = 1_000_000;
    private static final List<String> OF_EVENTS = List.of("bot", "spam");

    long asOf;
    String stage = "inquiry";
    long since;
    List<Layer> layers = List.of();
    Layer first;
    Layer last;
    Map<String, Word> consent = Map.of();
    List<String> verdicts = List.of();
    List<String> cleared = List.of();
    long horizon = -1;
    byte[] seen = new byte[0];
    Map<String, byte[]> signals = new TreeMap<>();

    boolean counts(Event event) {
        return Math.floorDiv(event.at, SECOND) > horizon;
    }

    boolean hasSeen(byte[] mark) {
        for (int at = STAMP; at < seen.length; at += ENTRY) {
            if (Arrays.equals(seen, at, at + 8, mark, 0, 8)) {
                return true;
            }
        }
        return false;
    }

    /** The JDK has no BLAKE2, so the mark is another hash of the same length. */
    static byte[] fingerprint(String eventId, MessageDigest digest) {
        return Arrays.copyOf(digest.digest(eventId.getBytes(StandardCharsets.UTF_8)), 8);
    }

    /** Take in an event that was not seen; this profile is one that was just decoded, and is changed. */
    void absorb(Event event, byte[] mark, List<Rules.Engagement> matched) {
        if (counts(event)) {
            seen = withEvent(Math.floorDiv(event.at, SECOND), mark);
            for (Rules.Engagement rule : matched) {
                signals.merge(rule.id(), packed(event.at), (known, one) -> withTime(known, event.at));
            }
            if (seen.length > MOST_EVENTS * ENTRY) {
                forgetOldest();
            }
        }
        asOf = Math.max(asOf, event.at);
        layers = withFacts(event);
        if (event.campaign != null) {
            Layer touch = new Layer(event.at, event.id, event.campaign);
            first = first == null || first.compareTo(event.at, event.id) >= 0 ? touch : first;
            last = last == null || last.compareTo(event.at, event.id) < 0 ? touch : last;
        }
        takeConsent(event);
        if (!event.verdicts.isEmpty()) {
            TreeSet<String> told = new TreeSet<>(verdicts);
            told.addAll(event.verdicts);
            verdicts = told.stream().limit(20).toList();
        }
        if (cleared.size() < OF_EVENTS.size()) {
            TreeSet<String> now = new TreeSet<>(cleared);
            OF_EVENTS.stream().filter(verdict -> !event.verdicts.contains(verdict)).forEach(now::add);
            cleared = List.copyOf(now);
        }
    }

    List<String> quality() {
        return verdicts.isEmpty() ? verdicts : verdicts.stream().filter(verdict -> !cleared.contains(verdict)).toList();
    }

    static long[] times(byte[] packed) {
        long[] times = new long[packed.length / 8];
        ByteBuffer.wrap(packed).order(ByteOrder.LITTLE_ENDIAN).asLongBuffer().get(times);
        return times;
    }

    private static byte[] packed(long... times) {
        ByteBuffer bytes = ByteBuffer.allocate(8 * times.length).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asLongBuffer().put(times);
        return bytes.array();
    }

    private static byte[] withTime(byte[] known, long at) {
        long[] times = times(known);
        int place = Arrays.binarySearch(times, at);
        place = place < 0 ? -place - 1 : place;
        long[] more = new long[times.length + 1];
        System.arraycopy(times, 0, more, 0, place);
        more[place] = at;
        System.arraycopy(times, place, more, place + 1, times.length - place);
        return packed(more);
    }

    private byte[] withEvent(long second, byte[] mark) {
        byte[] entry = new byte[ENTRY];
        for (int i = 0; i < STAMP; i++) {
            entry[i] = (byte) (second >>> 8 * (STAMP - 1 - i));
        }
        System.arraycopy(mark, 0, entry, STAMP, 8);
        int low = 0;
        int high = seen.length / ENTRY;
        if (high > 0 && Arrays.compareUnsigned(seen, seen.length - ENTRY, seen.length, entry, 0, ENTRY) < 0) {
            low = high;
        }
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (Arrays.compareUnsigned(seen, middle * ENTRY, (middle + 1) * ENTRY, entry, 0, ENTRY) < 0) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        byte[] more = new byte[seen.length + ENTRY];
        System.arraycopy(seen, 0, more, 0, low * ENTRY);
        System.arraycopy(entry, 0, more, low * ENTRY, ENTRY);
        System.arraycopy(seen, low * ENTRY, more, (low + 1) * ENTRY, seen.length - low * ENTRY);
        return more;
    }

    private void forgetOldest() {
        horizon = secondAt(0);
        int start = 0;
        while (start < seen.length && secondAt(start) <= horizon) {
            start += ENTRY;
        }
        seen = Arrays.copyOfRange(seen, start, seen.length);
        signals.replaceAll((rule, packed) -> packed(Arrays.stream(times(packed)).filter(at -> at >= (horizon + 1) * SECOND).toArray()));
        signals.values().removeIf(packed -> packed.length == 0);
    }

    private long secondAt(int start) {
        long second = 0;
        for (int i = 0; i < STAMP; i++) {
            second = second << 8 | seen[start + i] & 0xFF;
        }
        return second;
    }

    private List<Layer> withFacts(Event event) {
        if (event.facts.isEmpty()) {
            return layers;
        }
        TreeMap<String, Object> fresh = new TreeMap<>(event.facts);
        List<Layer> below = new ArrayList<>();
        List<Layer> above = new ArrayList<>();
        for (Layer layer : layers) {
            if (layer.compareTo(event.at, event.id) > 0) {
                above.add(layer);
                fresh.keySet().removeAll(layer.facts().keySet());
            } else {
                below.add(layer);
            }
        }
        if (fresh.isEmpty()) {
            return layers;
        }
        List<Layer> whole = new ArrayList<>();
        for (Layer old : below) {
            Map<String, Object> kept = new LinkedHashMap<>(old.facts());
            kept.keySet().removeAll(fresh.keySet());
            if (!kept.isEmpty()) {
                whole.add(new Layer(old.at(), old.eventId(), kept));
            }
        }
        whole.add(new Layer(event.at, event.id, fresh));
        whole.addAll(above);
        long extras = whole.stream().flatMap(layer -> layer.facts().keySet().stream()).filter(name -> name.startsWith("extra.")).count();
        if (extras > MOST_EXTRAS) {
            throw new IllegalStateException("more unknown attributes than the bench has");
        }
        return whole;
    }

    private void takeConsent(Event event) {
        if (event.consent.isEmpty()) {
            return;
        }
        TreeMap<String, Word> words = new TreeMap<>(consent);
        for (Event.Word said : event.consent) {
            Word known = words.get(said.purpose());
            int order = known == null ? 0 : Long.compare(said.at(), known.at());
            if (known == null || order > 0 || order == 0 && event.id.compareTo(known.eventId()) >= 0) {
                words.put(said.purpose(), new Word(said.at(), event.id, said.granted()));
            }
        }
        consent = words;
    }

    byte[] encode() throws IOException {
        return Codec.encode(this);
    }

    static Profile decode(byte[] stored) throws IOException {
        return Codec.decode(stored);
    }
}
