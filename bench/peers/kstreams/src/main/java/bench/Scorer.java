package bench;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.util.ByteArrayBuilder;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/** What a lead is worth after one more event: services/scoring/score.py, for one thread. */
final class Scorer {
    private static final int MOST_MOMENTS = 50;
    private static final Set<String> SCORES = Set.of("fit", "engagement", "grade", "conversion_probability");
    private static final JsonFactory JSON = new JsonFactory(new ObjectMapper());

    private record Move(String before, String after, long since, String reason) {}

    private record Standing(View view, Account fit, Account engagement) {}

    private final Rules rules;
    private final MessageDigest digest;

    Scorer(Rules rules) {
        this.rules = rules;
        try {
            digest = MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException never) {
            throw new IllegalStateException(never);
        }
    }

    /** The output's JSON; null for an event that was seen. {@code profile} is changed. */
    byte[] score(Profile profile, Event event) throws IOException {
        byte[] mark = Profile.fingerprint(event.id, digest);
        if (profile.hasSeen(mark)) {
            return null;
        }
        profile.absorb(event, mark, profile.counts(event) ? matched(event) : List.of());
        Standing now = standing(profile, profile.asOf, event);
        Move move = moved(profile, event, now.view());
        if (move != null) {
            profile.stage = move.after();
            profile.since = move.since();
        }
        return written(profile, event, now, move);
    }

    private List<Rules.Engagement> matched(Event event) {
        View view = new View();
        view.event = event.json;
        List<Rules.Engagement> matched = new ArrayList<>(2);
        for (Rules.Engagement rule : rules.byType.getOrDefault(event.type, List.of())) {
            if (rule.when() == null || rule.when().test.test(view)) {
                matched.add(rule);
            }
        }
        return matched;
    }

    private Standing standing(Profile profile, long at, Event event) {
        View view = new View();
        view.event = event.json;
        view.person = person(profile);
        view.first = profile.first == null ? Map.of() : profile.first.facts();
        view.last = profile.last == null ? Map.of() : profile.last.facts();
        Map<String, Boolean> consent = new LinkedHashMap<>();
        profile.consent.forEach((purpose, word) -> consent.put(purpose, word.granted()));
        view.consent = consent;
        view.quality = profile.quality();
        view.stage = profile.stage;
        Account fit = Account.of("fit", Account.fit(view, rules), rules.fitGroups, rules.fitMax);
        Account engagement = Account.of("engagement", Account.engagement(profile.signals, at, rules),
                rules.engagementGroups, rules.engagementMax);
        view.fit = fit.score;
        view.engagement = engagement.score;
        view.grade = rules.grade(fit.score, engagement.score);
        List<String> segments = new ArrayList<>();
        for (Rules.Segment segment : rules.segments) {
            if (segment.when().test.test(view)) {
                segments.add(segment.id());
            }
        }
        view.segments = segments;
        return new Standing(view, fit, engagement);
    }

    private Map<String, Object> person(Profile profile) {
        Map<String, Object> known = new TreeMap<>();
        for (Profile.Layer layer : profile.layers) {
            known.putAll(layer.facts());
        }
        Map<String, Object> person = new LinkedHashMap<>();
        for (String name : rules.person) {
            Object value = known.get(name);
            if (value != null) {
                person.put(name, value);
            }
        }
        rules.derive.into(person);
        Map<String, Object> extra = new LinkedHashMap<>();
        known.forEach((name, value) -> {
            if (name.startsWith("extra.")) {
                extra.put(name.substring(6), value);
            }
        });
        if (!extra.isEmpty()) {
            person.put("extra", extra);
        }
        return person;
    }

    private Move moved(Profile profile, Event event, View view) {
        if (!profile.stage.equals("inquiry")) {
            return null;
        }
        if (rules.handRaise.contains(event.type)) {
            return new Move("inquiry", "mql", event.at, "raised a hand: " + event.type);
        }
        if (rules.mql == null) {
            return null;
        }
        if (rules.mql.test.test(view)) {
            return new Move("inquiry", "mql", profile.asOf, why(view));
        }
        if (event.at < profile.asOf) {
            for (long moment : moments(profile, event)) {
                View then = standing(profile, moment, event).view();
                then.fit = view.fit;
                if (rules.mql.test.test(then)) {
                    return new Move("inquiry", "mql", moment, why(then));
                }
            }
        }
        return null;
    }

    private static List<Long> moments(Profile profile, Event event) {
        TreeSet<Long> later = new TreeSet<>();
        for (byte[] packed : profile.signals.values()) {
            for (long at : Profile.times(packed)) {
                if (event.at < at && at < profile.asOf) {
                    later.add(at);
                }
            }
        }
        List<Long> moments = new ArrayList<>();
        moments.add(event.at);
        later.stream().limit(MOST_MOMENTS - 1).forEach(moments::add);
        return moments;
    }

    private String why(View view) {
        Set<String> held = new LinkedHashSet<>();
        for (Condition.Leaf leaf : rules.mql.leaves) {
            if (leaf.test().test(view) == leaf.wanted()) {
                String shown = SCORES.contains(leaf.path()) ? " (" + leaf.get().apply(view) + ")" : "";
                held.add((leaf.wanted() ? "" : "not: ") + leaf.words() + shown);
            }
        }
        return String.join(" and ", held);
    }

    private byte[] written(Profile profile, Event event, Standing now, Move move) throws IOException {
        ByteArrayBuilder bytes = new ByteArrayBuilder(2_560);
        try (JsonGenerator out = JSON.createGenerator(bytes)) {
            View view = now.view();
            out.writeStartObject();
            out.writeNumberField("schema_version", 1);
            out.writeStringField("lead_id", event.leadId);
            out.writeStringField("event_id", event.id);
            out.writeNumberField("fit", view.fit);
            out.writeNumberField("engagement", view.engagement);
            out.writeStringField("grade", view.grade);
            out.writeStringField("stage", profile.stage);
            if (move != null) {
                out.writeObjectFieldStart("transition");
                out.writeStringField("from", move.before());
                out.writeStringField("to", move.after());
                out.writeStringField("reason", move.reason());
                out.writeEndObject();
            }
            texts(out, "segments", view.segments);
            out.writeArrayFieldStart("explanation");
            entries(out, now.fit());
            entries(out, now.engagement());
            out.writeEndArray();
            out.writeObjectField("person", view.person);
            out.writeObjectFieldStart("campaign");
            if (profile.first != null) {
                out.writeObjectField("first", profile.first.facts());
            }
            if (profile.last != null) {
                out.writeObjectField("last", profile.last.facts());
            }
            out.writeEndObject();
            out.writeObjectFieldStart("consent");
            for (Map.Entry<String, Boolean> word : view.consent.entrySet()) {
                out.writeBooleanField(word.getKey(), word.getValue());
            }
            out.writeEndObject();
            texts(out, "quality", view.quality);
            out.writeStringField("rules_hash", rules.hash);
            out.writeStringField("as_of", Times.rfc3339(profile.asOf));
            out.writeEndObject();
        }
        return bytes.toByteArray();
    }

    private static void texts(JsonGenerator out, String name, List<String> texts) throws IOException {
        out.writeArrayFieldStart(name);
        for (String text : texts) {
            out.writeString(text);
        }
        out.writeEndArray();
    }

    private static void entries(JsonGenerator out, Account account) throws IOException {
        for (Account.Entry entry : account.entries) {
            out.writeStartObject();
            out.writeStringField("rule", entry.rule());
            out.writeStringField("kind", entry.kind());
            out.writeNumberField("points", entry.cents() / 100.0);
            out.writeNumberField("from_points", entry.fromCents() / 100.0);
            out.writeStringField("detail", entry.detail());
            out.writeEndObject();
        }
    }
}
