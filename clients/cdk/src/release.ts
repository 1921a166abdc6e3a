import * as fs from 'node:fs';
import * as path from 'node:path';
import { Token } from 'aws-cdk-lib';
import * as assets from 'aws-cdk-lib/aws-s3-assets';
import type { Construct } from 'constructs';
import type { Json } from './conditions';
import { PARAMETERS, type TemplateParameters } from './parameters';

/** The template's parameters for the functions' code. */
const CODE = ['CodeBucket', 'ThumbnailCodeKey', 'UploadUrlCodeKey'];

/** A parameter as the template has it. */
interface Parameter {
  readonly Type: string;
  readonly Default?: string | number;
  readonly AllowedValues?: (string | number)[];
  readonly AllowedPattern?: string;
  readonly ConstraintDescription?: string;
  readonly MinValue?: number;
  readonly MaxValue?: number;
  readonly MaxLength?: number;
}

type Value = string | number | boolean | string[];

/** A folder with the plain template and the packages of the functions. */
export class Release {
  readonly template: Json;
  private readonly declared: Record<string, Parameter>;

  constructor(private readonly folder: string) {
    this.template = JSON.parse(fs.readFileSync(this.file('template.json'), 'utf8'));
    this.declared = this.template.Parameters;
    const known: readonly string[] = [...PARAMETERS, ...CODE];
    const missing = known.filter((name) => !(name in this.declared));
    const more = Object.keys(this.declared).filter((name) => !known.includes(name));
    if (missing.length + more.length > 0) {
      throw new Error(`${this.folder} is a release of another version: it differs in ${[...missing, ...more]}`);
    }
  }

  /**
   * A value for every parameter: what is given, else the default.
   *
   * None stays a parameter of the stack, because `cdk deploy` would keep its earlier value. CloudFormation sees no
   * parameters then, so their limits are checked here.
   */
  parameters(given: TemplateParameters): Record<string, unknown> {
    return Object.fromEntries(
      PARAMETERS.map((name) => {
        const property = (name.charAt(0).toLowerCase() + name.slice(1)) as keyof TemplateParameters;
        const parameter = this.declared[name]!;
        return [name, asInTemplate(property, given[property], parameter)];
      }),
    );
  }

  /** The packages as assets of the app, and the parameters that say where they are. */
  code(scope: Construct, architecture = 'x86_64'): Record<string, string> {
    const asset = (binary: string): assets.Asset =>
      new assets.Asset(scope, `${binary}-code`, { path: this.file(`${binary}-${architecture}.zip`) });
    const thumbnail = asset('thumbnail');
    return {
      CodeBucket: thumbnail.s3BucketName, // that of all of the stack's assets
      ThumbnailCodeKey: thumbnail.s3ObjectKey,
      UploadUrlCodeKey: asset('upload-url').s3ObjectKey,
    };
  }

  private file(name: string): string {
    const file = path.resolve(this.folder, name);
    if (!fs.existsSync(file)) {
      throw new Error(`${file} does not exist: \`release\` is the folder of a release with this file`);
    }
    return file;
  }
}

/** The value as CfnInclude puts it into the template: numbers as numbers, so that conditions compare like with like. */
function asInTemplate(property: string, value: Value | undefined, parameter: Parameter): unknown {
  if (value === undefined) {
    return parameter.Type === 'CommaDelimitedList' ? String(parameter.Default).split(',') : parameter.Default;
  }
  const plain = typeof value === 'boolean' ? String(value) : value;
  const allowed = Token.isUnresolved(plain) ? undefined : violated(plain, parameter);
  if (allowed !== undefined) {
    throw new Error(`${property} is ${JSON.stringify(value)}, but must be ${allowed}`);
  }
  return plain;
}

/** What the parameter must be and the value is not. */
function violated(value: Exclude<Value, boolean>, parameter: Parameter): string | undefined {
  const { AllowedValues, AllowedPattern, MinValue = -Infinity, MaxValue = Infinity, MaxLength = Infinity } = parameter;
  if (AllowedValues && !AllowedValues.includes(value as string | number)) {
    return `one of ${AllowedValues.join(', ')}`;
  }
  if (parameter.Type === 'Number' && !(typeof value === 'number' && MinValue <= value && value <= MaxValue)) {
    return MaxValue === Infinity ? `a number from ${MinValue} on` : `a number from ${MinValue} to ${MaxValue}`;
  }
  const matches = AllowedPattern === undefined || new RegExp(`^(?:${AllowedPattern})$`).test(String(value));
  const { ConstraintDescription = `at most ${MaxLength} characters like ${AllowedPattern}` } = parameter;
  return matches && String(value).length <= MaxLength ? undefined : ConstraintDescription;
}
