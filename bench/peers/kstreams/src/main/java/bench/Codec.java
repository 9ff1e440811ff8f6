package bench;

import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.msgpack.core.MessageBufferPacker;
import org.msgpack.core.MessagePack;
import org.msgpack.core.MessageUnpacker;

/** A profile as MessagePack: the same thirteen fields as in Python, in the same order. */
final class Codec {
    private Codec() {}

    static byte[] encode(Profile profile) throws IOException {
        MessageBufferPacker out = MessagePack.newDefaultBufferPacker();
        out.packArrayHeader(13).packInt(1).packLong(profile.asOf).packString(profile.stage).packLong(profile.since);
        out.packArrayHeader(profile.layers.size());
        for (Profile.Layer layer : profile.layers) {
            pack(out, layer);
        }
        pack(out, profile.first);
        pack(out, profile.last);
        out.packMapHeader(profile.consent.size());
        for (Map.Entry<String, Profile.Word> one : profile.consent.entrySet()) {
            out.packString(one.getKey()).packArrayHeader(3).packLong(one.getValue().at());
            out.packString(one.getValue().eventId()).packBoolean(one.getValue().granted());
        }
        pack(out, (Object) profile.verdicts);
        pack(out, (Object) profile.cleared);
        out.packLong(profile.horizon).packBinaryHeader(profile.seen.length).writePayload(profile.seen);
        out.packMapHeader(profile.signals.size());
        for (Map.Entry<String, byte[]> one : profile.signals.entrySet()) {
            out.packString(one.getKey()).packBinaryHeader(one.getValue().length).writePayload(one.getValue());
        }
        return out.toByteArray();
    }

    static Profile decode(byte[] stored) throws IOException {
        MessageUnpacker in = MessagePack.newDefaultUnpacker(stored);
        Profile profile = new Profile();
        in.unpackArrayHeader();
        in.unpackInt();
        profile.asOf = in.unpackLong();
        profile.stage = in.unpackString();
        profile.since = in.unpackLong();
        int layers = in.unpackArrayHeader();
        profile.layers = new ArrayList<>(layers);
        for (int i = 0; i < layers; i++) {
            profile.layers.add(layer(in));
        }
        profile.first = layer(in);
        profile.last = layer(in);
        int words = in.unpackMapHeader();
        profile.consent = new TreeMap<>();
        for (int i = 0; i < words; i++) {
            String purpose = in.unpackString();
            in.unpackArrayHeader();
            profile.consent.put(purpose, new Profile.Word(in.unpackLong(), in.unpackString(), in.unpackBoolean()));
        }
        profile.verdicts = texts(in);
        profile.cleared = texts(in);
        profile.horizon = in.unpackLong();
        profile.seen = in.readPayload(in.unpackBinaryHeader());
        int signals = in.unpackMapHeader();
        for (int i = 0; i < signals; i++) {
            profile.signals.put(in.unpackString(), in.readPayload(in.unpackBinaryHeader()));
        }
        return profile;
    }

    private static void pack(MessageBufferPacker out, Profile.Layer layer) throws IOException {
        if (layer == null) {
            out.packNil();
            return;
        }
        out.packArrayHeader(3).packLong(layer.at()).packString(layer.eventId());
        pack(out, (Object) layer.facts());
    }

    private static void pack(MessageBufferPacker out, Object value) throws IOException {
        if (value == null) {
            out.packNil();
        } else if (value instanceof String text) {
            out.packString(text);
        } else if (value instanceof Integer number) {
            out.packInt(number);
        } else if (value instanceof Long number) {
            out.packLong(number);
        } else if (value instanceof Boolean word) {
            out.packBoolean(word);
        } else if (value instanceof Number number) {
            out.packDouble(number.doubleValue());
        } else if (value instanceof List<?> list) {
            out.packArrayHeader(list.size());
            for (Object item : list) {
                pack(out, item);
            }
        } else if (value instanceof Map<?, ?> map) {
            out.packMapHeader(map.size());
            for (Map.Entry<?, ?> one : map.entrySet()) {
                out.packString((String) one.getKey());
                pack(out, one.getValue());
            }
        } else {
            throw new IllegalArgumentException("cannot pack " + value.getClass());
        }
    }

    private static Profile.Layer layer(MessageUnpacker in) throws IOException {
        if (in.tryUnpackNil()) {
            return null;
        }
        in.unpackArrayHeader();
        long at = in.unpackLong();
        String eventId = in.unpackString();
        return new Profile.Layer(at, eventId, map(in));
    }

    private static Map<String, Object> map(MessageUnpacker in) throws IOException {
        int size = in.unpackMapHeader();
        Map<String, Object> map = new LinkedHashMap<>(size * 2);
        for (int i = 0; i < size; i++) {
            map.put(in.unpackString(), value(in));
        }
        return map;
    }

    private static Object value(MessageUnpacker in) throws IOException {
        switch (in.getNextFormat().getValueType()) {
            case STRING:
                return in.unpackString();
            case INTEGER:
                return in.unpackLong();
            case BOOLEAN:
                return in.unpackBoolean();
            case FLOAT:
                return in.unpackDouble();
            case MAP:
                return map(in);
            case ARRAY:
                int size = in.unpackArrayHeader();
                List<Object> list = new ArrayList<>(size);
                for (int i = 0; i < size; i++) {
                    list.add(value(in));
                }
                return list;
            default:
                in.unpackNil();
                return null;
        }
    }

    private static List<String> texts(MessageUnpacker in) throws IOException {
        int size = in.unpackArrayHeader();
        List<String> texts = new ArrayList<>(size);
        for (int i = 0; i < size; i++) {
            texts.add(in.unpackString());
        }
        return texts;
    }
}
