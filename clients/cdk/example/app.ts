import { App, Stack } from 'aws-cdk-lib';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { PhotoThumbnails } from 's3-photo-thumbnailer-cdk';

const app = new App();
const photos = new PhotoThumbnails(app, 'Photos', { stackName: 'photos', uploadOrigins: ['https://example.com'] });
const server = new Role(new Stack(app, 'Server'), 'Role', { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
server.addManagedPolicy(photos.uploadUrlCallers); // asks for upload URLs
photos.table.grantReadData(server); // reads items and lists albums
photos.thumbnailsBucket.grantRead(server);
