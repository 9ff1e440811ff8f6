package bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.File;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The ruleset, as the bench exports it. */
final class Rules {
    static final long UNIT = 100_000_000L;
    private static final double WEEK = 7 * 86_400;
    private static final double MONDAY = 4 * 86_400;

    record Fit(String id, long units, String words, String group, Condition when) {}

    record Decay(String kind, double span) {
        double worth(double points, double age) {
            if (age <= 0) {
                return points;
            }
            return switch (kind) {
                case "half_life" -> points * Math.pow(2.0, -age / span);
                case "linear" -> points * Math.max(0.0, 1.0 - age / span);
                default -> age < span ? points : 0.0;
            };
        }
    }

    record Limit(int times, double per) {
        long period(double at) {
            double start = per % WEEK == 0 ? MONDAY : 0;
            return (long) Math.floor((at - start) / per);
        }
    }

    record Engagement(int order, String id, String on, double points, long units, String words, String group,
            Condition when, Decay decay, Limit limit) {}

    record Segment(String id, Condition when) {}

    final String hash;
    final List<Fit> fit = new ArrayList<>();
    final Map<String, Engagement> engagement = new HashMap<>();
    final Map<String, List<Engagement>> byType = new HashMap<>();
    final double fitMax;
    final double engagementMax;
    final Map<String, Double> fitGroups;
    final Map<String, Double> engagementGroups;
    final double[] gradeFit;
    final double[] gradeEngagement;
    final List<Segment> segments = new ArrayList<>();
    final Condition mql;
    final Set<String> handRaise = new HashSet<>();
    final List<String> person = new ArrayList<>();
    final Set<String> subject = new HashSet<>();
    final Set<String> attributes = new HashSet<>();
    final Derive derive;

    Rules(File file) throws IOException {
        JsonNode data = new ObjectMapper().readTree(file);
        hash = data.get("rules_hash").asText();
        for (JsonNode rule : data.get("fit")) {
            fit.add(new Fit(rule.get("id").asText(), units(rule.get("points").asDouble()), rule.get("words").asText(),
                    group(rule), Condition.of(rule.get("when"))));
        }
        int order = 0;
        for (JsonNode rule : data.get("engagement")) {
            Engagement one = engagement(rule, order++);
            engagement.put(one.id(), one);
            byType.computeIfAbsent(one.on(), on -> new ArrayList<>()).add(one);
        }
        fitMax = data.get("fit_max").asDouble();
        engagementMax = data.get("engagement_max").asDouble();
        fitGroups = numbers(data.get("fit_groups"));
        engagementGroups = numbers(data.get("engagement_groups"));
        gradeFit = array(data.get("grade_fit"));
        gradeEngagement = array(data.get("grade_engagement"));
        data.get("segments").forEach(one -> segments.add(new Segment(one.get("id").asText(), Condition.of(one.get("when")))));
        mql = Condition.of(data.get("mql"));
        data.get("hand_raise").forEach(type -> handRaise.add(type.asText()));
        data.get("person").forEach(name -> person.add(name.asText()));
        data.get("subject").forEach(name -> subject.add(name.asText()));
        attributes.addAll(person);
        attributes.removeAll(subject);
        derive = new Derive(data);
    }

    String grade(double fit, double engagement) {
        return level("ABCD", gradeFit, fit) + level("1234", gradeEngagement, engagement);
    }

    static long units(double points) {
        return (long) Math.rint(points * UNIT);
    }

    private static String level(String names, double[] lowest, double score) {
        for (int i = 0; i < 3; i++) {
            if (score >= lowest[i]) {
                return names.substring(i, i + 1);
            }
        }
        return names.substring(3);
    }

    private static Engagement engagement(JsonNode rule, int order) {
        JsonNode decay = rule.get("decay");
        JsonNode limit = rule.get("limit");
        double points = rule.get("points").asDouble();
        return new Engagement(order, rule.get("id").asText(), rule.get("on").asText(), points, units(points),
                rule.get("words").asText(), group(rule), Condition.of(rule.get("when")),
                decay.isNull() ? null : new Decay(decay.get("kind").asText(), decay.get("span").asDouble()),
                limit.isNull() ? null : new Limit(limit.get("times").asInt(), limit.get("per").asDouble()));
    }

    private static String group(JsonNode rule) {
        return rule.get("group").isNull() ? null : rule.get("group").asText();
    }

    private static Map<String, Double> numbers(JsonNode data) {
        Map<String, Double> numbers = new LinkedHashMap<>();
        data.fields().forEachRemaining(one -> numbers.put(one.getKey(), one.getValue().asDouble()));
        return numbers;
    }

    private static double[] array(JsonNode data) {
        double[] array = new double[data.size()];
        for (int i = 0; i < array.length; i++) {
            array[i] = data.get(i).asDouble();
        }
        return array;
    }
}
