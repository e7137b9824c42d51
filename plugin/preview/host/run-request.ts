/** Runs the queries of one panel, as Grafana's core does: loading first, then what came of it. */
import { LoadingState, toDataFrame } from '@grafana/data';
import type { DataQueryRequest, DataQueryResponse, DataSourceApi, PanelData } from '@grafana/data';
import { catchError, concat, from, map, of } from 'rxjs';
import type { Observable } from 'rxjs';

const errorOf = (error: unknown): { message: string } => ({
  message: error instanceof Error ? error.message : String(error),
});

function answered(request: DataQueryRequest, { data, errors, error, state }: DataQueryResponse): PanelData {
  const problems = errors ?? (error === undefined ? [] : [error]);
  return {
    state: problems.length > 0 ? LoadingState.Error : (state ?? LoadingState.Done),
    series: data.map((frame) => toDataFrame(frame)),
    annotations: [],
    timeRange: request.range,
    request,
    ...(problems.length === 0 ? {} : { errors: problems, error: problems[0] }),
  };
}

export function runRequest(dataSource: DataSourceApi, request: DataQueryRequest): Observable<PanelData> {
  const empty: PanelData = {
    state: LoadingState.Loading,
    series: [],
    annotations: [],
    timeRange: request.range,
    request,
  };
  const answer = from(dataSource.query(request)).pipe(
    map((response) => answered(request, response)),
    catchError((error: unknown) =>
      of({ ...empty, state: LoadingState.Error, errors: [errorOf(error)], error: errorOf(error) })
    )
  );
  return concat(of(empty), answer);
}
