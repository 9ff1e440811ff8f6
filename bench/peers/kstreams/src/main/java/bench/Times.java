package bench;

import java.time.LocalDate;

/** Times as text. */
final class Times {
    private Times() {}

    /** Microseconds since the epoch as RFC 3339 in UTC; a fraction, of six digits, only where there is one. */
    static String rfc3339(long micros) {
        long seconds = Math.floorDiv(micros, 1_000_000L);
        int fraction = (int) Math.floorMod(micros, 1_000_000L);
        LocalDate day = LocalDate.ofEpochDay(Math.floorDiv(seconds, 86_400L));
        int rest = (int) Math.floorMod(seconds, 86_400L);
        StringBuilder text = new StringBuilder(27);
        text.append(day).append('T');
        two(text, rest / 3_600).append(':');
        two(text, rest / 60 % 60).append(':');
        two(text, rest % 60);
        if (fraction != 0) {
            text.append('.');
            for (int unit = 100_000; unit > 0; unit /= 10) {
                text.append((char) ('0' + fraction / unit % 10));
            }
        }
        return text.append('Z').toString();
    }

    private static StringBuilder two(StringBuilder text, int number) {
        return text.append((char) ('0' + number / 10)).append((char) ('0' + number % 10));
    }
}
