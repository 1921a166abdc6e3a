import com.sun.management.OperatingSystemMXBean;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import javax.imageio.ImageIO;
import net.coobird.thumbnailator.Thumbnails;

/** The runner of Thumbnailator: DIRECTORY RUNS PHOTO... (see run.py). */
class Thumbnailator {
    /** Thumbnails until the hot loops are compiled. */
    static final int WARM_UP = 5;

    public static void main(String[] arguments) throws Exception {
        ImageIO.setUseCache(false); // else ImageIO would copy each photo into a temporary file
        var process = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
        int runs = Integer.parseInt(arguments[1]);
        for (int i = 2; i < arguments.length; i++) {
            Path path = Path.of(arguments[i]);
            byte[] photo = Files.readAllBytes(path);
            for (int warm = 0; i == 2 && warm < WARM_UP; warm++) {
                make(photo);
            }
            long cpu = process.getProcessCpuTime();
            long wall = System.nanoTime();
            byte[] thumbnail = null;
            for (int run = 0; run < runs; run++) {
                thumbnail = make(photo);
            }
            wall = System.nanoTime() - wall;
            cpu = process.getProcessCpuTime() - cpu;
            String name = path.getFileName().toString();
            Files.write(Path.of(arguments[0], name), thumbnail);
            print("{\"photo\": %s, \"cpuMs\": %.3f, \"wallMs\": %.3f}%n",
                quoted(name), cpu / 1e6 / runs, wall / 1e6 / runs);
        }
        String versions = "Thumbnailator " + Thumbnails.class.getPackage().getImplementationVersion()
            + ", Java " + System.getProperty("java.version");
        print("{\"versions\": %s, \"peakMemoryMb\": %.1f}%n", quoted(versions), peakMemoryMb());
    }

    static byte[] make(byte[] photo) throws Exception {
        var jpeg = new ByteArrayOutputStream();
        Thumbnails.of(new ByteArrayInputStream(photo))
            .scale(0.25).outputQuality(0.9).outputFormat("jpg").toOutputStream(jpeg);
        return jpeg.toByteArray();
    }

    static double peakMemoryMb() throws Exception {
        for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
            if (line.startsWith("VmHWM:")) {
                return Integer.parseInt(line.replaceAll("\\D", "")) / 1024.0;
            }
        }
        throw new IllegalStateException("/proc/self/status has no VmHWM");
    }

    static String quoted(String text) {
        return '"' + text.replace("\\", "\\\\").replace("\"", "\\\"") + '"';
    }

    static void print(String format, Object... values) {
        System.out.printf(Locale.ROOT, format, values);
    }
}
