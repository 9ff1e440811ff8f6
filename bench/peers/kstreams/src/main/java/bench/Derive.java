package bench;

import com.fasterxml.jackson.databind.JsonNode;
import java.text.Normalizer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/** What follows from what a person said: kind of e-mail address, seniority, function. */
final class Derive {
    private record Class(String name, Pattern pattern) {}

    /** What a job title says; either may be null. */
    record Title(String seniority, String function) {}

    private static final int REMEMBERED = 20_000;
    private static final Pattern BETWEEN = Pattern.compile("[^a-z0-9]+");
    private static final Pattern MARKS = Pattern.compile("\\p{M}+");

    private final Set<String> free;
    private final Set<String> disposable;
    private final Set<String> roles;
    private final List<Class> ranks;
    private final List<Class> fields;
    private final Map<String, String> kinds = new HashMap<>();
    private final Map<String, Title> titles = new HashMap<>();

    Derive(JsonNode rules) {
        free = texts(rules.get("free"));
        disposable = texts(rules.get("disposable"));
        roles = texts(rules.get("roles"));
        ranks = classes(rules.get("ranks"));
        fields = classes(rules.get("fields"));
    }

    void into(Map<String, Object> person) {
        if (person.get("email") instanceof String email && !email.isEmpty()) {
            String kind = kinds.get(email);
            if (kind == null) {
                kind = emailKind(email);
                remember(kinds, email, kind);
            }
            if (!kind.isEmpty()) {
                person.put("email_kind", kind);
            }
        }
        if (person.get("job_title") instanceof String job && !job.isEmpty()) {
            Title title = titles.get(job);
            if (title == null) {
                title = read(job);
                remember(titles, job, title);
            }
            if (title.seniority() != null) {
                person.put("seniority", title.seniority());
            }
            if (title.function() != null) {
                person.put("function", title.function());
            }
        }
    }

    private static <V> void remember(Map<String, V> known, String key, V value) {
        if (known.size() >= REMEMBERED) {
            known.clear();
        }
        known.put(key, value);
    }

    private String emailKind(String written) {
        String email = written.toLowerCase(Locale.ROOT).strip();
        int at = email.lastIndexOf('@');
        if (at <= 0 || at == email.length() - 1) {
            return "";
        }
        String local = email.substring(0, at);
        String domain = email.substring(at + 1);
        while (domain.endsWith(".")) {
            domain = domain.substring(0, domain.length() - 1);
        }
        if (listed(domain, disposable)) {
            return "disposable";
        }
        if (listed(domain, free)) {
            return "free";
        }
        int plus = local.indexOf('+');
        return roles.contains(plus < 0 ? local : local.substring(0, plus)) ? "role" : "company";
    }

    private static boolean listed(String name, Set<String> domains) {
        String domain = name;
        while (!domain.isEmpty()) {
            if (domains.contains(domain)) {
                return true;
            }
            int dot = domain.indexOf('.');
            domain = dot < 0 ? "" : domain.substring(dot + 1);
        }
        return false;
    }

    private Title read(String job) {
        String cut = job.length() > 200 ? job.substring(0, 200) : job;
        String bare = MARKS.matcher(Normalizer.normalize(cut.toLowerCase(Locale.ROOT), Normalizer.Form.NFKD)).replaceAll("");
        String words = BETWEEN.matcher(bare).replaceAll(" ").strip();
        String rank = first(ranks, words);
        String field = first(fields, words);
        if ("assistant".equals(rank)) {
            return new Title("staff", "administration");
        }
        return new Title(rank != null ? rank : field != null ? "staff" : null, field);
    }

    private static String first(List<Class> classes, String words) {
        for (Class one : classes) {
            if (one.pattern().matcher(words).find()) {
                return one.name();
            }
        }
        return null;
    }

    private static Set<String> texts(JsonNode list) {
        Set<String> texts = new HashSet<>();
        list.forEach(item -> texts.add(item.asText()));
        return texts;
    }

    private static List<Class> classes(JsonNode list) {
        List<Class> classes = new ArrayList<>();
        list.forEach(pair -> classes.add(new Class(pair.get(0).asText(), Pattern.compile(pair.get(1).asText()))));
        return classes;
    }
}
