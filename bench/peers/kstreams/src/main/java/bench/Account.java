package bench;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A score and the lines that add up to it, as services/scoring/lines.py has it: in units, rounded to cents. */
final class Account {
    static final long CENT = Rules.UNIT / 100;
    private static final long HALF = CENT / 2;

    /** One line before rounding. */
    record Line(String rule, long units, long fromUnits, String detail, String group) {}

    /** One line, in cents. */
    record Entry(String rule, String kind, long cents, long fromCents, String detail) {}

    final double score;
    final List<Entry> entries;

    private Account(double score, List<Entry> entries) {
        this.score = score;
        this.entries = entries;
    }

    static List<Line> fit(View view, Rules rules) {
        List<Line> lines = new ArrayList<>();
        for (Rules.Fit rule : rules.fit) {
            if (rule.when().test.test(view)) {
                lines.add(new Line(rule.id(), rule.units(), rule.units(), rule.words(), rule.group()));
            }
        }
        return lines;
    }

    static List<Line> engagement(Map<String, byte[]> signals, long at, Rules rules) {
        List<Rules.Engagement> matched = new ArrayList<>(signals.size());
        for (String name : signals.keySet()) {
            Rules.Engagement rule = rules.engagement.get(name);
            if (rule != null) {
                matched.add(rule);
            }
        }
        matched.sort(Comparator.comparingInt(Rules.Engagement::order));
        List<Line> lines = new ArrayList<>();
        for (Rules.Engagement rule : matched) {
            long[] times = Profile.times(signals.get(rule.id()));
            int end = times.length;
            while (end > 0 && times[end - 1] > at) {
                end--;
            }
            long[] counted = end == times.length ? times : Arrays.copyOf(times, end);
            if (rule.limit() != null) {
                counted = limited(counted, rule.limit());
            }
            if (counted.length > 0) {
                String detail = counted.length == 1 ? rule.words() : counted.length + " × " + rule.words();
                lines.add(new Line(rule.id(), units(counted, at, rule), rule.units() * counted.length, detail, rule.group()));
            }
        }
        return lines;
    }

    private static long[] limited(long[] ascending, Rules.Limit limit) {
        if (ascending.length <= limit.times()) {
            return ascending;
        }
        long[] counted = new long[ascending.length];
        int size = 0;
        int left = 0;
        long period = Long.MIN_VALUE;
        for (long time : ascending) {
            long here = limit.period(time / 1e6);
            if (here != period) {
                period = here;
                left = limit.times();
            }
            if (left > 0) {
                counted[size++] = time;
                left--;
            }
        }
        return Arrays.copyOf(counted, size);
    }

    private static long units(long[] counted, long at, Rules.Engagement rule) {
        if (rule.decay() == null) {
            return rule.units() * counted.length;
        }
        double sum = 0;
        for (long time : counted) {
            sum += rule.decay().worth(rule.points(), (at - time) / 1e6);
        }
        return (long) Math.rint(sum * Rules.UNIT);
    }

    static Account of(String kind, List<Line> lines, Map<String, Double> groups, double most) {
        List<Line> whole = new ArrayList<>(lines);
        Map<String, Long> byGroup = new HashMap<>();
        long total = 0;
        for (Line line : lines) {
            total += line.units();
            if (line.group() != null) {
                byGroup.merge(line.group(), line.units(), Long::sum);
            }
        }
        for (Map.Entry<String, Double> group : groups.entrySet()) {
            long over = byGroup.getOrDefault(group.getKey(), 0L) - Rules.units(group.getValue());
            if (over > 0) {
                String name = group.getKey();
                String said = "the group " + name + " gives " + plain(group.getValue()) + " at most";
                whole.add(new Line("group:" + name, -over, -over, said, name));
                total -= over;
            }
        }
        long over = total - Rules.units(most);
        if (over > 0) {
            whole.add(new Line("max:" + kind, -over, -over, kind + " ends at " + plain(most), null));
            total -= over;
        } else if (total < 0) {
            whole.add(new Line("min:" + kind, -total, -total, kind + " does not fall below 0", null));
            total = 0;
        }
        long cents = cents(total);
        long[] shares = shares(whole, cents);
        List<Entry> entries = new ArrayList<>(shares.length);
        for (int i = 0; i < shares.length; i++) {
            if (shares[i] != 0) {
                Line line = whole.get(i);
                entries.add(new Entry(line.rule(), kind, shares[i], cents(line.fromUnits()), line.detail()));
            }
        }
        return new Account(cents / 100.0, entries);
    }

    private static long[] shares(List<Line> lines, long cents) {
        long[] shares = new long[lines.size()];
        boolean whole = true;
        for (int i = 0; i < shares.length; i++) {
            shares[i] = Math.floorDiv(lines.get(i).units(), CENT);
            whole &= lines.get(i).units() % CENT == 0;
        }
        if (whole) {
            return shares;
        }
        Map<Object, List<Integer>> members = new LinkedHashMap<>();
        for (int i = 0; i < shares.length; i++) {
            Object key = lines.get(i).group() != null ? lines.get(i).group() : Integer.valueOf(i);
            members.computeIfAbsent(key, none -> new ArrayList<>(2)).add(i);
        }
        long[] sums = new long[members.size()];
        int at = 0;
        for (List<Integer> inside : members.values()) {
            for (int i : inside) {
                sums[at] += lines.get(i).units();
            }
            at++;
        }
        long[] ofMembers = apportioned(sums, cents);
        at = 0;
        for (List<Integer> inside : members.values()) {
            long[] parts = inside.stream().mapToLong(i -> lines.get(i).units()).toArray();
            long[] given = inside.size() == 1 ? new long[] {ofMembers[at]} : apportioned(parts, ofMembers[at]);
            for (int i = 0; i < given.length; i++) {
                shares[inside.get(i)] = given[i];
            }
            at++;
        }
        return shares;
    }

    private static long[] apportioned(long[] parts, long cents) {
        long[] shares = new long[parts.length];
        long left = cents;
        for (int i = 0; i < parts.length; i++) {
            shares[i] = Math.floorDiv(parts[i], CENT);
            left -= shares[i];
        }
        if (left > 0) {
            Integer[] order = new Integer[parts.length];
            Arrays.setAll(order, i -> i);
            Arrays.sort(order, Comparator.comparingLong(i -> -Math.floorMod(parts[i], CENT)));
            for (int i = 0; i < left; i++) {
                shares[order[i]]++;
            }
        }
        return shares;
    }

    private static long cents(long units) {
        long cents = Math.floorDiv(units, CENT);
        long rest = Math.floorMod(units, CENT);
        return rest > HALF || rest == HALF && (cents & 1) == 1 ? cents + 1 : cents;
    }

    private static String plain(double number) {
        return number == Math.rint(number) ? Long.toString((long) number) : Double.toString(number);
    }
}
