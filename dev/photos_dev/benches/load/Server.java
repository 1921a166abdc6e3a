import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.lang.management.ManagementFactory;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;
import net.coobird.thumbnailator.Thumbnails;

/**
 * A server that makes thumbnails itself. Its argument is the number of thumbnails to make at a time.
 *
 * <p>POST /photos takes a batch of photos, and answers when all thumbnails are in S3. The body has the number of
 * photos, then for each photo the URL to put its thumbnail to, its number of bytes, and these bytes, all as
 * DataOutputStream writes them. GET /heap returns the most bytes that the heap has held since the last call.
 */
class Server {
    static final int HEAP_LOOK_MS = 20;
    static final HttpClient CLIENT =
        HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

    record Photo(URI thumbnail, Path file) {}

    interface Work {
        void on(List<Photo> photos) throws Exception;
    }

    public static void main(String[] arguments) throws Exception {
        ExecutorService workers = Executors.newFixedThreadPool(Integer.parseInt(arguments[0]));
        serve(photos -> {
            var thumbnails = new ArrayList<Callable<Void>>();
            for (Photo photo : photos) {
                thumbnails.add(() -> {
                    put(photo.thumbnail(), thumbnail(Files.newInputStream(photo.file())));
                    return null;
                });
            }
            for (Future<Void> thumbnail : workers.invokeAll(thumbnails)) {
                thumbnail.get();
            }
        });
    }

    /** Prints the port once the server listens. */
    static void serve(Work work) throws IOException {
        var server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setExecutor(Executors.newCachedThreadPool());
        server.createContext("/photos", exchange -> answer(exchange, () -> {
            List<Photo> photos = receive(exchange.getRequestBody());
            try {
                work.on(photos);
            } finally {
                for (Photo photo : photos) {
                    Files.delete(photo.file());
                }
            }
            return Integer.toString(photos.size());
        }));
        AtomicLong mostHeap = watchHeap();
        server.createContext("/heap", exchange -> answer(exchange, () -> Long.toString(mostHeap.getAndSet(0))));
        server.start();
        System.out.println(server.getAddress().getPort());
    }

    /** Receives photos into files, as Spring does by default (spring.servlet.multipart.file-size-threshold is 0). */
    static List<Photo> receive(InputStream body) throws IOException {
        var data = new DataInputStream(body);
        var photos = new ArrayList<Photo>();
        for (int left = data.readInt(); left > 0; left--) {
            URI thumbnail = URI.create(data.readUTF());
            Path file = Files.createTempFile("photo", ".jpg");
            try (var photo = Files.newOutputStream(file)) {
                for (long bytes = data.readLong(); bytes > 0; ) {
                    byte[] part = new byte[(int) Math.min(bytes, 1 << 16)];
                    data.readFully(part);
                    photo.write(part);
                    bytes -= part.length;
                }
            }
            photos.add(new Photo(thumbnail, file));
        }
        return photos;
    }

    static byte[] thumbnail(InputStream photo) throws IOException {
        try (photo) {
            var jpeg = new ByteArrayOutputStream();
            Thumbnails.of(photo).scale(0.25).outputQuality(0.9).outputFormat("jpg").toOutputStream(jpeg);
            return jpeg.toByteArray();
        }
    }

    static void put(URI url, byte[] thumbnail) throws IOException, InterruptedException {
        var body = HttpRequest.BodyPublishers.ofByteArray(thumbnail);
        HttpRequest put = HttpRequest.newBuilder(url).PUT(body).build();
        HttpResponse<String> answer = CLIENT.send(put, HttpResponse.BodyHandlers.ofString());
        if (answer.statusCode() != 200) {
            throw new IOException("S3 answered " + answer.statusCode() + ": " + answer.body());
        }
    }

    static AtomicLong watchHeap() {
        var most = new AtomicLong();
        var thread = new Thread(() -> {
            var memory = ManagementFactory.getMemoryMXBean();
            while (true) {
                most.accumulateAndGet(memory.getHeapMemoryUsage().getUsed(), Math::max);
                try {
                    Thread.sleep(HEAP_LOOK_MS);
                } catch (InterruptedException ended) {
                    return;
                }
            }
        });
        thread.setDaemon(true);
        thread.start();
        return most;
    }

    static void answer(HttpExchange exchange, Callable<String> call) throws IOException {
        int status = 200;
        String text;
        try {
            text = call.call();
        } catch (Exception error) {
            error.printStackTrace();
            status = 500;
            text = error.toString();
        }
        byte[] body = text.getBytes();
        exchange.sendResponseHeaders(status, body.length);
        try (exchange) {
            exchange.getResponseBody().write(body);
        }
    }
}
