/** The modules a plugin may leave to its host. Whole namespaces: what a plugin takes of them is not known here. */
import * as emotionCss from '@emotion/css';
import * as emotionReact from '@emotion/react';
import * as grafanaData from '@grafana/data';
import * as grafanaI18n from '@grafana/i18n';
import * as grafanaRuntime from '@grafana/runtime';
import * as grafanaUi from '@grafana/ui';
import lodash from 'lodash';
import moment from 'moment';
import React from 'react';
import * as jsxRuntime from 'react/jsx-runtime';
import ReactDOM from 'react-dom';
import * as ReactDOMClient from 'react-dom/client';
import * as rxjs from 'rxjs';
import * as rxjsOperators from 'rxjs/operators';

/** A CommonJS module as SystemJS gives it to an AMD module: itself, and not as the default of a namespace. */
const whole = (module: object): System.Module => ({ ...module, default: module, __useDefault: true });

export const sharedModules: Readonly<Record<string, System.Module>> = {
  '@emotion/css': emotionCss,
  '@emotion/react': emotionReact,
  '@grafana/data': grafanaData,
  '@grafana/i18n': grafanaI18n,
  '@grafana/runtime': grafanaRuntime,
  '@grafana/ui': grafanaUi,
  lodash: whole(lodash),
  moment: whole(moment),
  react: whole(React),
  'react/jsx-runtime': whole(jsxRuntime),
  'react-dom': whole(ReactDOM),
  'react-dom/client': whole(ReactDOMClient),
  rxjs,
  'rxjs/operators': rxjsOperators,
};
