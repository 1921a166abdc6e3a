export { PhotoThumbnails, type PhotoThumbnailsProps } from './photo-thumbnails';
export type { TemplateParameters } from './parameters';
