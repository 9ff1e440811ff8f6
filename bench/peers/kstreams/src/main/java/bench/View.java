package bench;

import java.util.List;
import java.util.Map;

/** What conditions look at: the event as JSON has it, and what is known of the lead. */
final class View {
    Map<String, Object> event = Map.of();
    Map<String, Object> person = Map.of();
    Map<String, Object> first = Map.of();
    Map<String, Object> last = Map.of();
    Map<String, Boolean> consent = Map.of();
    List<String> quality = List.of();
    double fit;
    double engagement;
    String grade = "D4";
    String stage = "inquiry";
    List<String> segments = List.of();

    /** The value at a path, as a getter that is found once. */
    static java.util.function.Function<View, Object> getter(String path) {
        if (path.startsWith("person.")) {
            String name = path.substring(7);
            return view -> view.person.get(name);
        }
        if (path.startsWith("campaign.first.")) {
            String name = path.substring(15);
            return view -> view.first.get(name);
        }
        if (path.startsWith("campaign.last.")) {
            String name = path.substring(14);
            return view -> view.last.get(name);
        }
        if (path.startsWith("consent.")) {
            String name = path.substring(8);
            return view -> view.consent.get(name);
        }
        if (path.startsWith("event.")) {
            String[] parts = path.substring(6).split("\\.");
            if (parts.length == 1) {
                return view -> view.event.get(parts[0]);
            }
            if (parts.length == 2) {
                return view -> view.event.get(parts[0]) instanceof Map<?, ?> inner ? inner.get(parts[1]) : null;
            }
        }
        return switch (path) {
            case "quality" -> view -> view.quality;
            case "fit" -> view -> view.fit;
            case "engagement" -> view -> view.engagement;
            case "grade" -> view -> view.grade;
            case "stage" -> view -> view.stage;
            case "segments" -> view -> view.segments;
            default -> throw new IllegalArgumentException("unknown path " + path);
        };
    }
}
