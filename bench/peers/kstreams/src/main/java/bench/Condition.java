package bench;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.regex.Pattern;

/** A condition: leaves that look at one field each, joined by all, any and not. */
final class Condition {
    /** One leaf; {@code wanted} is false below a not. */
    record Leaf(String path, String words, Function<View, Object> get, Predicate<View> test, boolean wanted) {}

    private static final int REMEMBERED = 2_048;
    private static final int LONGEST_REMEMBERED = 200;

    final Predicate<View> test;
    final List<Leaf> leaves = new ArrayList<>();

    private Condition(JsonNode tree) {
        this.test = compile(tree, true);
    }

    static Condition of(JsonNode tree) {
        return tree == null || tree.isNull() ? null : new Condition(tree);
    }

    private Predicate<View> compile(JsonNode tree, boolean wanted) {
        if (tree.has("all")) {
            List<Predicate<View>> parts = parts(tree.get("all"), wanted);
            return view -> {
                for (int i = 0; i < parts.size(); i++) {
                    if (!parts.get(i).test(view)) {
                        return false;
                    }
                }
                return true;
            };
        }
        if (tree.has("any")) {
            List<Predicate<View>> parts = parts(tree.get("any"), wanted);
            return view -> {
                for (int i = 0; i < parts.size(); i++) {
                    if (parts.get(i).test(view)) {
                        return true;
                    }
                }
                return false;
            };
        }
        if (tree.has("not")) {
            return compile(tree.get("not"), !wanted).negate();
        }
        String path = tree.get("path").asText();
        Function<View, Object> get = View.getter(path);
        Predicate<View> leaf = leaf(tree.get("operator").asText(), tree, get);
        leaves.add(new Leaf(path, tree.get("words").asText(), get, leaf, wanted));
        return leaf;
    }

    private List<Predicate<View>> parts(JsonNode trees, boolean wanted) {
        List<Predicate<View>> parts = new ArrayList<>();
        trees.forEach(tree -> parts.add(compile(tree, wanted)));
        return parts;
    }

    private static Predicate<View> leaf(String operator, JsonNode tree, Function<View, Object> get) {
        JsonNode operand = tree.get("value");
        String sort = tree.get("sort").asText();
        switch (operator) {
            case "not_equals":
                return leaf("equals", tree, get).negate();
            case "not_in":
                return leaf("in", tree, get).negate();
            case "equals":
                if (sort.equals("boolean")) {
                    Boolean wanted = operand.asBoolean();
                    return view -> wanted.equals(bool(get.apply(view)));
                }
                if (sort.equals("number")) {
                    double wanted = operand.asDouble();
                    return view -> number(get.apply(view)) == wanted;
                }
                String same = operand.asText();
                return onText(get, same::equals);
            case "in":
                Set<String> members = new HashSet<>();
                operand.forEach(member -> members.add(member.asText()));
                return view -> {
                    Object value = get.apply(view);
                    if (value instanceof List<?> list) {
                        return list.stream().anyMatch(item -> isMember(item, members));
                    }
                    return isMember(value, members);
                };
            case "contains":
                String part = operand.asText();
                return view -> {
                    Object value = get.apply(view);
                    if (value instanceof List<?> list) {
                        return list.stream().anyMatch(item -> isMember(item, Set.of(part)));
                    }
                    String text = text(value);
                    return text != null && fold(text).contains(part);
                };
            case "starts_with":
                String start = operand.asText();
                return onText(get, text -> text.startsWith(start));
            case "ends_with":
                String end = operand.asText();
                return onText(get, text -> text.endsWith(end));
            case "matches":
                return matches(Pattern.compile(operand.asText(), Pattern.CASE_INSENSITIVE), get);
            case "exists":
                boolean there = operand.asBoolean();
                return view -> isMissing(get.apply(view)) != there;
            case "between":
                double low = operand.get(0).asDouble();
                double high = operand.get(1).asDouble();
                return view -> {
                    double number = number(get.apply(view));
                    return low <= number && number <= high;
                };
            default:
                return ordered(operator, operand.asDouble(), get);
        }
    }

    private static Predicate<View> ordered(String operator, double limit, Function<View, Object> get) {
        return switch (operator) {  // NaN, for what is no number, compares as false
            case "gt" -> view -> number(get.apply(view)) > limit;
            case "gte" -> view -> number(get.apply(view)) >= limit;
            case "lt" -> view -> number(get.apply(view)) < limit;
            case "lte" -> view -> number(get.apply(view)) <= limit;
            default -> throw new IllegalArgumentException("unknown operator " + operator);
        };
    }

    private static Predicate<View> onText(Function<View, Object> get, Predicate<String> holds) {
        return view -> {
            String text = text(get.apply(view));
            return text != null && holds.test(fold(text));
        };
    }

    private static Predicate<View> matches(Pattern pattern, Function<View, Object> get) {
        Map<String, Boolean> remembered = new HashMap<>();
        return view -> {
            Object value = get.apply(view);
            String text = text(value);
            if (text == null || isMissing(value)) {
                return false;
            }
            if (text.length() > LONGEST_REMEMBERED) {
                return pattern.matcher(text).find();
            }
            Boolean known = remembered.get(text);
            if (known == null) {
                if (remembered.size() >= REMEMBERED) {
                    remembered.clear();
                }
                known = pattern.matcher(text).find();
                remembered.put(text, known);
            }
            return known;
        };
    }

    private static boolean isMember(Object value, Set<String> members) {
        String text = text(value);
        return text != null && members.contains(fold(text));
    }

    static String fold(String text) {
        return text.toLowerCase(Locale.ROOT);
    }

    static boolean isMissing(Object value) {
        return value == null
                || value instanceof String text && text.isBlank()
                || value instanceof List<?> list && list.isEmpty()
                || value instanceof Map<?, ?> map && map.isEmpty();
    }

    private static String text(Object value) {
        if (value instanceof String text) {
            return text;
        }
        if (value instanceof Boolean || value instanceof Integer || value instanceof Long) {
            return value.toString();
        }
        if (value instanceof Double number) {
            return number == Math.rint(number) && Math.abs(number) < 1e15 ? Long.toString(number.longValue()) : number.toString();
        }
        return null;
    }

    private static double number(Object value) {
        if (value instanceof Number number) {
            return number.doubleValue();
        }
        if (value instanceof String text && text.length() <= 60) {
            try {
                return Double.parseDouble(text.trim());
            } catch (NumberFormatException notOne) {
                return Double.NaN;
            }
        }
        return Double.NaN;
    }

    private static Boolean bool(Object value) {
        if (value instanceof Boolean word) {
            return word;
        }
        if (value instanceof String text) {
            String word = text.strip().toLowerCase(Locale.ROOT);
            return word.equals("true") ? Boolean.TRUE : word.equals("false") ? Boolean.FALSE : null;
        }
        return null;
    }
}
