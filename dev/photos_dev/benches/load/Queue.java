import com.rabbitmq.client.AMQP;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ConnectionFactory;
import com.rabbitmq.client.DefaultConsumer;
import com.rabbitmq.client.Envelope;
import com.rabbitmq.client.MessageProperties;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.util.Map;

/**
 * The same with RabbitMQ, as two programs: "publish PORT" is a server that puts each photo into a queue, and
 * answers when the broker has them all; "consume AT_ONCE PORT" makes the thumbnails.
 */
class Queue {
    static final String NAME = "photos";
    static final String THUMBNAIL = "thumbnail";
    static final int CONFIRM_MS = 60_000;

    public static void main(String[] arguments) throws Exception {
        var factory = new ConnectionFactory();
        factory.setHost("127.0.0.1");
        factory.setPort(Integer.parseInt(arguments[arguments.length - 1]));
        Connection connection = factory.newConnection();
        if (arguments[0].equals("publish")) {
            publish(open(connection));
        } else {
            for (int worker = 0; worker < Integer.parseInt(arguments[1]); worker++) {
                consume(open(connection));
            }
            System.out.println("ready");
        }
    }

    /** Queue and messages survive a restart of the broker, as no uploaded photo may be lost. */
    static Channel open(Connection connection) throws IOException {
        Channel channel = connection.createChannel();
        channel.queueDeclare(NAME, true, false, false, null);
        return channel;
    }

    static void publish(Channel channel) throws IOException {
        channel.confirmSelect();
        Server.serve(photos -> {
            for (Server.Photo photo : photos) {
                AMQP.BasicProperties properties = MessageProperties.PERSISTENT_BASIC.builder()
                    .headers(Map.of(THUMBNAIL, photo.thumbnail().toString()))
                    .build();
                channel.basicPublish("", NAME, properties, Files.readAllBytes(photo.file()));
            }
            channel.waitForConfirmsOrDie(CONFIRM_MS);
        });
    }

    /** Processes one photo at a time. */
    static void consume(Channel channel) throws IOException {
        channel.basicQos(1);
        channel.basicConsume(NAME, new DefaultConsumer(channel) {
            @Override
            public void handleDelivery(
                    String tag, Envelope envelope, AMQP.BasicProperties properties, byte[] photo)
                    throws IOException {
                try {
                    var url = URI.create(properties.getHeaders().get(THUMBNAIL).toString());
                    Server.put(url, Server.thumbnail(new ByteArrayInputStream(photo)));
                    channel.basicAck(envelope.getDeliveryTag(), false);
                } catch (InterruptedException ended) {
                    Thread.currentThread().interrupt();
                }
            }
        });
    }
}
