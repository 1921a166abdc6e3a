// A simple Lambda function that makes thumbnails with sharp, and two further renditions where RENDITIONS asks for them.

import { DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import exifReader from 'exif-reader';
import sharp from 'sharp';

const SCALE = 0.25;
const { PHOTOS_TABLE, RENDITIONS, THUMBNAILS_BUCKET } = process.env;
const SIDES = { screen: 1600, grid: 400 };
const ENCODINGS = {
  jpeg: (picture) => picture.jpeg({ quality: 90 }),
  webp: (picture) => picture.webp({ quality: 80 }),
};

const s3 = new S3Client({});
const dynamodb = new DynamoDBClient({});

export async function handler(event) {
  for (const record of event.Records) {
    const Bucket = record.s3.bucket.name;
    const Key = decodeURIComponent(record.s3.object.key.replaceAll('+', ' '));
    const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }));
    const photo = Buffer.from(await Body.transformToByteArray());
    const { exif, autoOrient: { width, height } } = await sharp(photo).metadata();
    const thumbnail = sharp(photo)
      .autoOrient()
      .resize(quarter(width), quarter(height), { fit: 'fill' })
      .keepIccProfile();
    const renditions = RENDITIONS === 'thumbnail'
      ? [['thumbnail', 'jpeg', await ENCODINGS.jpeg(thumbnail).toBuffer()]]
      : await severalOf(thumbnail, RENDITIONS);
    await Promise.all(renditions.map(([name, format, Body]) => s3.send(new PutObjectCommand({
      Bucket: THUMBNAILS_BUCKET,
      Key: `${name}/${Key}`,
      Body,
      ContentType: `image/${format}`,
    }))));
    await dynamodb.send(new PutItemCommand({
      TableName: PHOTOS_TABLE,
      Item: { photoKey: { S: Key }, exif: { M: exif ? facts(exifReader(exif)) : {} } },
    }));
    console.log(`made the thumbnail of ${Key}`);
  }
}

// All are made of the thumbnail's pixels, so that the photo is decoded once.
async function severalOf(thumbnail, format) {
  const { data, info: { width, height, channels } } = await thumbnail.raw().toBuffer({ resolveWithObject: true });
  const pixels = () => sharp(data, { raw: { width, height, channels } });
  const renditions = [['thumbnail', 'jpeg', await ENCODINGS.jpeg(pixels()).toBuffer()]];
  for (const [name, side] of Object.entries(SIDES)) {
    const picture = pixels().resize(side, side, { fit: 'inside' });
    renditions.push([name, format, await ENCODINGS[format](picture).toBuffer()]);
  }
  return renditions;
}

function quarter(side) {
  return Math.max(1, Math.round(side * SCALE));
}

// The tags by name, as text.
function facts(exif) {
  const directories = [exif.Image, exif.Photo, exif.GPSInfo].filter(Boolean);
  return Object.fromEntries(
    directories
      .flatMap(Object.entries)
      .filter(([, value]) => !Buffer.isBuffer(value))
      .map(([name, value]) => [name, { S: value instanceof Date ? text(value) : String(value) }]),
  );
}

function text(date) {
  return Number.isNaN(date.getTime()) ? '' : date.toISOString();
}
