import java.io.File;
import net.coobird.thumbnailator.Thumbnails;

/** Makes a quarter-size thumbnail of each photo, as the platform's server did: DIRECTORY PHOTO... */
class Thumbnailator {
    public static void main(String[] arguments) throws Exception {
        for (int i = 1; i < arguments.length; i++) {
            File photo = new File(arguments[i]);
            File thumbnail = new File(arguments[0], photo.getName());
            Thumbnails.of(photo).scale(0.25).outputQuality(0.9).toFile(thumbnail);
        }
    }
}
