// A simple Lambda function that makes thumbnails with sharp.

import { DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import exifReader from 'exif-reader';
import sharp from 'sharp';

const SCALE = 0.25;
const { PHOTOS_TABLE, THUMBNAILS_BUCKET } = process.env;

const s3 = new S3Client({});
const dynamodb = new DynamoDBClient({});

export async function handler(event) {
  for (const record of event.Records) {
    const Bucket = record.s3.bucket.name;
    const Key = decodeURIComponent(record.s3.object.key.replaceAll('+', ' '));
    const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }));
    const photo = Buffer.from(await Body.transformToByteArray());
    const { exif, autoOrient: { width, height } } = await sharp(photo).metadata();
    const thumbnail = await sharp(photo)
      .autoOrient()
      .resize(quarter(width), quarter(height), { fit: 'fill' })
      .keepIccProfile()
      .jpeg({ quality: 90 })
      .toBuffer();
    await s3.send(new PutObjectCommand({
      Bucket: THUMBNAILS_BUCKET,
      Key: `thumbnail/${Key}`,
      Body: thumbnail,
      ContentType: 'image/jpeg',
    }));
    await dynamodb.send(new PutItemCommand({
      TableName: PHOTOS_TABLE,
      Item: { photoKey: { S: Key }, exif: { M: exif ? facts(exifReader(exif)) : {} } },
    }));
    console.log(`made the thumbnail of ${Key}`);
  }
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
